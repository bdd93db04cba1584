"""The nearest supporter, where the neighbour graph is too short to show it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import checked_embeddings, exact_similarity, matmul_slack

_BUFFER = 2**25  # similarities in memory at once: 128 MiB
_SUPPORT_AT_ONCE = 65_536

Rows = npt.NDArray[np.integer]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest supporter of each query.

    Attributes
    ----------
    index
        int32 [q], its row; −1 where there is none that may lend.
    similarity
        float32 [q]; NaN where there is none.
    """

    index: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]


def nearest_in(
    embeddings: Vectors, queries: Rows, support: Rows, scope: Scope | None = None
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
    scope
        From whom items may borrow; None: from anyone.

    Raises
    ------
    EpoxyError
        If the embeddings are not finite unit rows.
    """
    vectors = checked_embeddings(embeddings)
    ordered = np.sort(support)
    if scope is None or not scope.within:
        across = scope.sequences if scope is not None and scope.across else None
        return _search(vectors, queries, ordered, across)
    index = np.full(len(queries), -1, dtype=np.int32)
    similarity = np.full(len(queries), np.nan, dtype=np.float32)
    lenders = scope.places(ordered)
    for sequence, places in scope.places(queries).items():
        if sequence in lenders:
            found = _search(vectors, queries[places], ordered[lenders[sequence]])
            index[places], similarity[places] = found.index, found.similarity
    return Nearest(index, similarity)


def _search(
    vectors: Vectors, queries: Rows, ordered: Rows, apart: npt.NDArray[np.int64] | None = None
) -> Nearest:
    """Search the ascending support; those with the query's number ``apart`` do not count."""
    index = np.full(len(queries), -1, dtype=np.int32)
    similarity = np.full(len(queries), np.nan, dtype=np.float32)
    slack = matmul_slack(vectors.shape[1])
    for first in range(0, len(ordered), _SUPPORT_AT_ONCE):
        part = _without_duplicates(vectors, ordered[first : first + _SUPPORT_AT_ONCE], apart)
        supporters = vectors[part]
        block = max(1, _BUFFER // len(part))
        for top in range(0, len(queries), block):
            rows = queries[top : top + block]
            rough = vectors[rows] @ supporters.T
            if apart is not None:
                np.copyto(rough, -np.inf, where=apart[rows, None] == apart[part])
            close = rough >= rough.max(axis=1, keepdims=True) - 2 * slack
            if apart is not None:
                close &= rough > -np.inf
            row, column = np.nonzero(close)
            exact = exact_similarity(vectors, rows[row], part[column][:, None])[:, 0]
            order = np.lexsort((column, -exact, row))
            found, first_of_row = np.unique(row[order], return_index=True)
            best, seen = order[first_of_row], top + found
            # Parts come in ascending order of rows, so an earlier part keeps a tie.
            better = (index[seen] < 0) | (exact[best] > similarity[seen])
            index[seen] = np.where(better, part[column[best]], index[seen])
            similarity[seen] = np.where(better, exact[best], similarity[seen])
    return Nearest(index, similarity)


def _without_duplicates(vectors: Vectors, rows: Rows, apart: npt.NDArray[np.int64] | None) -> Rows:
    """Drop rows whose vector an earlier row that lends to the same items has: they win no tie."""
    raw = vectors[rows].view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize)))[:, 0]
    if apart is not None:
        raw = np.unique(raw, return_inverse=True)[1] * (apart.max() + 1) + apart[rows]
    return rows[np.sort(np.unique(raw, return_index=True)[1])]
