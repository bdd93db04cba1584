"""The neighbour graph."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import checked_embeddings, exact_similarity, matmul_slack

NOBODY = -1
"""In place of a neighbour, where fewer than k items may lend."""

_BUFFER = 2**25  # similarities in memory at once: 128 MiB
_GROUP = 32

Vectors = npt.NDArray[np.float32]


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
    """

    indices: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]
    scope: Scope | None = None

    @property
    def nearest(self) -> npt.NDArray[np.float32]:
        """Similarity of the items that have a neighbour to the nearest, float32 [≤ n]."""
        first = self.similarity[:, :1]
        return first[first > -np.inf]


def neighbor_graph(embeddings: Vectors, k: int, scope: Scope | None = None) -> NeighborGraph:
    """Find the ``min(k, n − 1)`` most similar items of every item, exactly.

    A float32 matrix product, block by block, leaves some more than k candidates a row; these are
    compared by `exact_similarity`. A row whose k-th neighbour is not provably above everything
    left out (many duplicates, say) is searched again among all that come close.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit or zero rows.
    k
        Neighbours per item, at least 1.
    scope
        Which items count; then there are as many columns as the most that an item has, at most k
        and, of two items or more, at least 1.

    Raises
    ------
    EpoxyError
        If ``k`` is below 1 or the embeddings are not finite unit rows.
    """
    if k < 1:
        raise EpoxyError(
            f"{k} neighbours", where="extension.neighbors", remedy="Ask for at least 1."
        )
    vectors = checked_embeddings(embeddings)
    if scope is None or not len(vectors):
        return NeighborGraph(*_search(vectors, k), scope)
    if scope.across:
        return NeighborGraph(*_search(vectors, k, scope.sequences), scope)
    if scope.within:
        return NeighborGraph(*_within(vectors, k, scope), scope)
    return NeighborGraph(*_search(vectors, k), scope)


def _within(
    vectors: Vectors, k: int, scope: Scope
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Sequence by sequence."""
    n = len(vectors)
    members = scope.places(np.arange(n))
    width = min(k, max(1, max(len(rows) for rows in members.values()) - 1), n - 1)
    indices = np.full((n, width), NOBODY, dtype=np.int32)
    similarity = np.full((n, width), -np.inf, dtype=np.float32)
    for rows in members.values():
        found, exact = _search(vectors[rows], k)
        indices[rows, : found.shape[1]] = rows[found]
        similarity[rows, : exact.shape[1]] = exact
    return indices, similarity


def _search(
    vectors: Vectors, k: int, apart: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Neighbours and similarities; items with the same number ``apart`` do not count."""
    n, dimensions = vectors.shape
    most = n - 1
    if apart is not None:
        most = min(most, max(1, n - int(np.unique(apart, return_counts=True)[1].min())))
    width = max(0, min(k, most))
    indices = np.empty((n, width), dtype=np.int32)
    similarity = np.empty((n, width), dtype=np.float32)
    if width == 0:
        return indices, similarity

    candidates = min(n - 1, width + max(16, width // 2))
    slack = matmul_slack(dimensions)
    padded = -(-n // _GROUP) * _GROUP
    block = min(n, max(64, min(2048, _BUFFER // padded)))
    buffer = np.full((block, padded), -np.inf, dtype=np.float32)
    for first in range(0, n, block):
        rows = np.arange(first, min(first + block, n))
        rough = buffer[: len(rows)]
        np.matmul(vectors[rows], vectors.T, out=rough[:, :n])
        rough[np.arange(len(rows)), rows] = -np.inf
        if apart is not None:
            np.copyto(rough[:, :n], -np.inf, where=apart[rows, None] == apart)
        shortlist = _shortlist(rough, candidates)
        listed = np.take_along_axis(rough, shortlist, axis=1)
        left_out = listed.min(axis=1) + slack
        if apart is not None:
            shortlist = np.where(listed > -np.inf, shortlist, NOBODY)
        found, exact = _most_similar(vectors, rows, shortlist, width)
        if candidates < n - 1:
            # Where the shortlist took in items that do not count, all that do are in it.
            for row in np.flatnonzero((exact[:, -1] <= left_out) & (left_out > -np.inf)):
                close = np.flatnonzero(rough[row, :n] >= exact[row, -1] - slack)
                found[row : row + 1], exact[row : row + 1] = _most_similar(
                    vectors, rows[row : row + 1], close[None, :], width
                )
        indices[rows], similarity[rows] = found, exact
    return indices, similarity


def _shortlist(rough: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.intp]:
    """Find the columns of the ``count`` largest values of each row, in no order.

    The largest values are in the groups with the largest maxima, so most of a long row is read
    once, by a fast maximum, and never partitioned.
    """
    rows, padded = rough.shape
    groups = padded // _GROUP
    if groups <= count:
        return np.argpartition(rough, padded - count, axis=1)[:, padded - count :]
    maxima = rough.reshape(rows, _GROUP, groups).max(axis=1)
    best = np.argpartition(maxima, groups - count, axis=1)[:, groups - count :]
    columns = (best[:, :, None] + groups * np.arange(_GROUP)).reshape(rows, -1)
    values = np.take_along_axis(rough, columns, axis=1)
    largest = np.argpartition(values, values.shape[1] - count, axis=1)[:, -count:]
    return np.take_along_axis(columns, largest, axis=1)


def _most_similar(
    vectors: Vectors,
    rows: npt.NDArray[np.intp],
    candidates: npt.NDArray[np.intp],
    width: int,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Keep the first ``width`` candidates by similarity, then by row; nobody comes last."""
    exact = exact_similarity(vectors, rows, candidates)
    exact[candidates == NOBODY] = -np.inf
    order = np.lexsort((candidates, -exact), axis=1)[:, :width]
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(exact, order, axis=1)
