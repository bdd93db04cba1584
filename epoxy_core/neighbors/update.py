"""A graph that follows its items, without a search of all."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.all_pairs import in_turn
from epoxy_core.neighbors.candidates.pool import NOBODY
from epoxy_core.neighbors.exact import exact_rows
from epoxy_core.neighbors.formats import FLOAT32, Vectors
from epoxy_core.neighbors.graph import NeighborGraph, neighbor_graph
from epoxy_core.neighbors.recall import CHANCE, measured_recall
from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import checked_embeddings, matmul_slack
from epoxy_core.threads import thread_count

_FEW = 1 / 5
"""Share of items to search for above which a new exact graph is no slower."""
_FEW_OF_MANY = 1 / 50
"""The same where the graph is approximate, and made faster."""
_SIDE = 1024  # of a tile, at most


def updated_graph(
    before: NeighborGraph,
    old_row: npt.NDArray[np.int64],
    embeddings: Vectors,
    k: int,
    scope: Scope | None = None,
    *,
    recall: float = 1.0,
) -> NeighborGraph:
    """Make the graph of items most of which have one.

    New items, and those that lost a neighbour, search all; the others only take new items that are
    nearer than the neighbours they have. Where ``before`` is exact, so is the result. Starts anew
    where more than a few are searched for, a scope restricts who counts, the old items are in
    another order, or `before` is less than was asked.

    Parameters
    ----------
    before
        The graph of the old items.
    old_row
        int64 [n], each item's row in it, −1 if the item or its vector is new.
    embeddings
        float32 [n, d], unit or zero rows; of old items the same as before.
    k, scope, recall
        See `neighbor_graph`.
    """
    vectors = checked_embeddings(embeddings)
    n, width = len(vectors), before.indices.shape[1]
    stayed = old_row[old_row >= 0]
    if (
        (scope is not None and (scope.within or scope.across))
        or not width == k < n
        or before.recall < recall - (CHANCE if recall < 1 else 0)
        or (np.diff(stayed) <= 0).any()
    ):
        return neighbor_graph(vectors, k, scope, recall=recall)

    row_now = np.full(len(before.indices), NOBODY, dtype=np.int32)
    row_now[stayed] = np.flatnonzero(old_row >= 0)
    indices = np.where(old_row[:, None] >= 0, row_now[before.indices[old_row]], NOBODY)
    similarity = before.similarity[old_row]
    searched = np.flatnonzero((indices == NOBODY).any(axis=1))
    if len(searched) > n * (_FEW if before.recall == 1 else _FEW_OF_MANY):
        return neighbor_graph(vectors, k, scope, recall=recall)
    if len(searched):
        _take(vectors, np.flatnonzero(old_row < 0).astype(np.int32), searched, indices, similarity)
        indices[searched], similarity[searched] = exact_rows(vectors, searched, k)
    held = 1.0 if before.recall == 1 else measured_recall(similarity, vectors)
    if held < recall - (CHANCE if recall < 1 else 0):
        return neighbor_graph(vectors, k, scope, recall=recall)
    return NeighborGraph(indices, similarity, scope, held, before.engine)


def _take(
    vectors: Vectors,
    newcomers: npt.NDArray[np.int32],
    but: npt.NDArray[np.intp],
    indices: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
) -> None:
    """Let all items ``but`` some take newcomers."""
    from epoxy_core.neighbors.kernels import take

    slack = np.float32(matmul_slack(vectors.shape[1]))
    marks = similarity[:, -1] - slack
    marks[but] = np.inf
    own = vectors[newcomers]

    def work(part: tuple[int, int]) -> None:
        scratch = FLOAT32.scratch(_SIDE)
        for left in range(*part, _SIDE):
            items = vectors[left : min(left + _SIDE, part[1])]
            for top in range(0, len(own), _SIDE):
                rough = FLOAT32.tile(own[top : top + _SIDE], items, scratch)
                some = newcomers[top : top + _SIDE]
                take(vectors, rough, some, left, marks, slack, indices, similarity)

    threads = max(1, min(thread_count(), len(vectors) // _SIDE))
    bounds = [len(vectors) * part // threads for part in range(threads + 1)]
    in_turn([list(pairwise(bounds))], work)
