"""The neighbour graph."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors.candidates.pool import NOBODY
from epoxy_core.neighbors.engines import EXACT, Engine, better, choose, search
from epoxy_core.neighbors.exact import Numbers
from epoxy_core.neighbors.formats import Vectors
from epoxy_core.neighbors.recall import CHANCE, measured_recall
from epoxy_core.neighbors.rescoring import Found
from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import checked_embeddings


@dataclass(frozen=True, slots=True, eq=False)
class NeighborGraph:
    """Every item's most similar items among those it may borrow from, itself excluded.

    Attributes
    ----------
    indices
        int32 [n, k], the neighbours' rows; most similar first, ties by lowest row; −1 after the
        last, where an item has fewer.
    similarity
        float32 [n, k], cosine on the grid of `similarity.GRID`, descending; −inf after the last.
    scope
        From whom they may borrow; None: from anyone.
    recall
        Share of the true k nearest that it holds: 1 where it is exact, else an estimate.
    engine
        What found them; None where it was not this.
    """

    indices: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]
    scope: Scope | None = None
    recall: float = 1.0
    engine: Engine | None = None

    @property
    def nearest(self) -> npt.NDArray[np.float32]:
        """Similarity of the items that have a neighbour to the nearest, float32 [≤ n]."""
        first = self.similarity[:, :1]
        return first[first > -np.inf]


def neighbor_graph(
    embeddings: Vectors,
    k: int,
    scope: Scope | None = None,
    *,
    recall: float = 1.0,
    engine: Engine | None = None,
) -> NeighborGraph:
    """Find the ``min(k, n − 1)`` most similar items of every item.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit or zero rows.
    k
        Neighbours per item, at least 1.
    scope
        Which items count; then there are as many columns as the most that an item has, at most k
        and, of two items or more, at least 1. Where it restricts them, the search is exact.
    recall
        Share of the true neighbours that suffices, in (0, 1]; 1: exactly these. What an
        approximate search found is measured, and searched again by a better one if it is less.
    engine
        This one, whatever its recall; by default the fastest that suffices, by number of items
        and hardware. See `engines.Engine`.

    Raises
    ------
    EpoxyError
        If ``k`` is below 1, ``recall`` is none, or the embeddings are not finite unit rows.
    """
    if k < 1:
        raise EpoxyError(
            f"{k} neighbours", where="extension.neighbors", remedy="Ask for at least 1."
        )
    if not 0 < recall <= 1:
        raise EpoxyError(
            f"a recall of {recall}", where="extension.recall", remedy="Ask for a share in (0, 1]."
        )
    vectors = checked_embeddings(embeddings)
    if scope is not None and (scope.within or scope.across):
        chosen = engine if engine in EXACT else choose(len(vectors), 1.0)
        found = (_within if scope.within else _across)(vectors, k, scope, chosen)
        return NeighborGraph(*found, scope, engine=chosen)
    chosen = engine or choose(len(vectors), recall)
    while True:
        found = _search(vectors, k, chosen, recall=recall)
        held = 1.0 if chosen in EXACT else measured_recall(found[1], vectors)
        if held >= recall - CHANCE or engine is not None:
            return NeighborGraph(*found, scope, held, chosen)
        chosen = better(chosen)


def _within(vectors: Vectors, k: int, scope: Scope, engine: Engine) -> Found:
    """Sequence by sequence."""
    n = len(vectors)
    members = scope.places(np.arange(n))
    most = max((len(rows) for rows in members.values()), default=0)
    width = max(0, min(k, max(1, most - 1), n - 1))
    indices = np.full((n, width), NOBODY, dtype=np.int32)
    similarity = np.full((n, width), -np.inf, dtype=np.float32)
    for rows in members.values():
        found, alike = _search(vectors[rows], k, engine)
        indices[rows, : found.shape[1]] = rows[found]
        similarity[rows, : alike.shape[1]] = alike
    return indices, similarity


def _across(vectors: Vectors, k: int, scope: Scope, engine: Engine) -> Found:
    """Among the items of other sequences."""
    sizes = np.unique(scope.sequences, return_counts=True)[1]
    most = max(1, len(vectors) - int(sizes.min(initial=len(vectors))))
    return _search(vectors, min(k, most), engine, apart=scope.sequences)


def _search(
    vectors: Vectors, k: int, engine: Engine, *, recall: float = 1.0, apart: Numbers | None = None
) -> Found:
    n = len(vectors)
    width = max(0, min(k, n - 1))
    if width == 0:
        return np.empty((n, 0), dtype=np.int32), np.empty((n, 0), dtype=np.float32)
    return search(engine, vectors, width, recall, apart)
