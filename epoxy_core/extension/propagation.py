"""Posterior propagation: items take the mean posterior of their neighbours, over and over."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors import NOBODY, NeighborGraph
from epoxy_core.neighbors.similarity import GRID

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]


def propagate(
    start: Floats,
    covered: npt.NDArray[np.bool_],
    graph: NeighborGraph,
    *,
    strength: float = 0.8,
    sweeps: int = 15,
    neighbors: int = 20,
) -> Floats:
    """Spread the posterior of covered items over the neighbour graph.

    F ← (1−λ)·F₀ + λ·W·F on covered items, which so stay near what their votes say (local and
    global consistency, Zhou et al. 2004), and F ← W·F on the others (label propagation, Zhu &
    Ghahramani 2002). A row of W is softmax((s − s_max)/h) over the item's nearest neighbours; h is
    the median over items of s_max − s_min, at least one step of the similarities' grid.

    An item from which no chain of neighbours leads to a covered one in so many steps keeps its
    start.

    Parameters
    ----------
    start
        F₀, float64 [n, K], rows sum to 1: on items that are not covered where to begin, usually
        the class balance.
    covered
        bool [n], the items whose start is evidence.
    graph
        n rows. Its neighbours need not be mutual; items that should lend nothing are nobody's.
    strength
        λ, in [0, 1).
    sweeps
        How often.
    neighbors
        How many of each item's neighbours count, where the graph has so many.

    Returns
    -------
    float64 [n, K], rows sum to 1.
    """
    if not graph.indices.shape[1]:
        return start.copy()
    weights = _weights(graph, neighbors)
    kept = np.where(covered, 1 - strength, 0.0)[:, None]
    found, reached = start, covered
    for _ in range(sweeps):
        found = kept * start + (1 - kept) * (weights @ found)
        reached = covered | (weights @ reached.astype(np.float64) > 0)
    found = np.where(reached[:, None], found, start)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _weights(graph: NeighborGraph, neighbors: int) -> "csr_array":
    """W, [n, n]: rows sum to 1; an item without neighbours is its own."""
    from scipy.sparse import csr_array

    indices = np.ascontiguousarray(graph.indices[:, :neighbors])
    n, width = indices.shape
    similarity = graph.similarity[:, :neighbors].astype(np.float64)
    there = indices != NOBODY
    alone = ~there[:, 0]
    indices, similarity[alone, 0] = np.where(there, indices, np.arange(n)[:, None]), 0.0
    last = np.where(there, similarity, np.inf).min(axis=1)
    spreads = (similarity[:, 0] - last)[~alone]
    scale = max(float(np.median(spreads)) if len(spreads) else 0.0, GRID)
    weights = np.exp((similarity - similarity[:, :1]) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    first = np.arange(0, n * width + 1, width)
    return csr_array((weights.ravel(), indices.ravel(), first), shape=(n, n))
