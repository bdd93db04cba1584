"""The neighbour graph, and the nearest supporter where the graph is too short to show it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.extension.similarity import checked_embeddings, exact_similarity, matmul_slack

_BUFFER = 2**25  # similarities in memory at once: 128 MiB
_GROUP = 32
_SUPPORT_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class NeighborGraph:
    """Every item's most similar items, itself excluded.

    Attributes
    ----------
    indices
        int32 [n, k], the neighbours' rows; most similar first, ties by lowest row.
    similarity
        float32 [n, k], cosine on the grid of `similarity.GRID`, descending.
    """

    indices: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest supporter of each query.

    Attributes
    ----------
    index
        int32 [q], its row; −1 where the support is empty.
    similarity
        float32 [q]; NaN where the support is empty.
    """

    index: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]


def neighbor_graph(embeddings: npt.NDArray[np.float32], k: int) -> NeighborGraph:
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
    n, dimensions = vectors.shape
    width = max(0, min(k, n - 1))
    indices = np.empty((n, width), dtype=np.int32)
    similarity = np.empty((n, width), dtype=np.float32)
    if width == 0:
        return NeighborGraph(indices, similarity)

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
        shortlist = _shortlist(rough, candidates)
        left_out = np.take_along_axis(rough, shortlist, axis=1).min(axis=1) + slack
        found, exact = _most_similar(vectors, rows, shortlist, width)
        if candidates < n - 1:
            for row in np.flatnonzero(exact[:, -1] <= left_out):
                close = np.flatnonzero(rough[row, :n] >= exact[row, -1] - slack)
                found[row : row + 1], exact[row : row + 1] = _most_similar(
                    vectors, rows[row : row + 1], close[None, :], width
                )
        indices[rows], similarity[rows] = found, exact
    return NeighborGraph(indices, similarity)


def nearest_in(
    embeddings: npt.NDArray[np.float32],
    queries: npt.NDArray[np.integer],
    support: npt.NDArray[np.integer],
) -> Nearest:
    """Find the most similar supporter of each query, by exhaustive search.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit or zero rows.
    queries
        int [q], rows; one that is in the support may find itself.
    support
        int [s], rows. Ties go to the lowest.

    Raises
    ------
    EpoxyError
        If the embeddings are not finite unit rows.
    """
    vectors = checked_embeddings(embeddings)
    index = np.full(len(queries), -1, dtype=np.int32)
    similarity = np.full(len(queries), np.nan, dtype=np.float32)
    slack = matmul_slack(vectors.shape[1])
    ordered = np.sort(support)
    for first in range(0, len(ordered), _SUPPORT_AT_ONCE):
        part = _without_duplicates(vectors, ordered[first : first + _SUPPORT_AT_ONCE])
        supporters = vectors[part]
        block = max(1, _BUFFER // len(part))
        for top in range(0, len(queries), block):
            rows = queries[top : top + block]
            rough = vectors[rows] @ supporters.T
            close = rough >= rough.max(axis=1, keepdims=True) - 2 * slack
            row, column = np.nonzero(close)
            exact = exact_similarity(vectors, rows[row], part[column][:, None])[:, 0]
            order = np.lexsort((column, -exact, row))
            best = order[np.unique(row[order], return_index=True)[1]]
            seen = np.s_[top : top + block]
            # Parts come in ascending order of rows, so an earlier part keeps a tie.
            better = (index[seen] < 0) | (exact[best] > similarity[seen])
            index[seen] = np.where(better, part[column[best]], index[seen])
            similarity[seen] = np.where(better, exact[best], similarity[seen])
    return Nearest(index, similarity)


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
    vectors: npt.NDArray[np.float32],
    rows: npt.NDArray[np.intp],
    candidates: npt.NDArray[np.intp],
    width: int,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Keep the first ``width`` candidates by similarity, then by row."""
    exact = exact_similarity(vectors, rows, candidates)
    order = np.lexsort((candidates, -exact), axis=1)[:, :width]
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(exact, order, axis=1)


def _without_duplicates(
    vectors: npt.NDArray[np.float32], rows: npt.NDArray[np.integer]
) -> npt.NDArray[np.integer]:
    """Drop rows whose vector an earlier row has: they could never win a tie."""
    raw = vectors[rows].view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize)))[:, 0]
    return rows[np.sort(np.unique(raw, return_index=True)[1])]
