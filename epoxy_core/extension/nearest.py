"""The nearest supporter, where the neighbour graph is too short to show it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.blas import one_thread
from epoxy_core.neighbors.graph import NeighborGraph
from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import (
    GRID,
    checked_embeddings,
    exact_similarity,
    matmul_slack,
)
from epoxy_core.threads import thread_count

_QUERIES_AT_ONCE = 512
_SUPPORT_AT_ONCE = 1024
_MANY = 8  # rivals of a query among so many supporters: likely duplicates

Rows = npt.NDArray[np.integer]
Vectors = npt.NDArray[np.float32]
Sequences = npt.NDArray[np.int64]


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

    @classmethod
    def nothing(cls, q: int) -> "Nearest":
        """No supporter yet."""
        return cls(np.full(q, -1, np.int32), np.full(q, np.nan, np.float32))

    def at_least(self, least: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """How similar another one must be to be nearer than these and not below ``least``."""
        return np.fmax(self.similarity, least)

    def take(
        self,
        at: npt.NDArray[np.intp],
        index: npt.NDArray[np.integer],
        similarity: npt.NDArray[np.float32],
    ) -> None:
        """Replace those ``at`` which (distinct) queries others are nearer, or as near and lower."""
        mine, near = self.index[at], self.similarity[at]
        better = (mine < 0) | (similarity > near) | ((similarity == near) & (index < mine))
        self.index[at[better]] = index[better]
        self.similarity[at[better]] = similarity[better]


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
    return nearest_of(checked_embeddings(embeddings), queries, support, scope, -np.inf)


def nearest_of(
    embeddings: Vectors, queries: Rows, support: Rows, scope: Scope | None, threshold: float
) -> Nearest:
    """`nearest_in` of embeddings that are not checked, where it is at least so similar."""
    found = Nearest.nothing(len(queries))
    least = np.full(len(queries), threshold, np.float32)
    _search_in_scope(np.asarray(embeddings), queries, support, scope, found, least)
    return found


def nearest_beyond(
    embeddings: Vectors,
    graph: NeighborGraph,
    queries: Rows,
    supporters: Rows,
    least: npt.NDArray[np.float32],
) -> Nearest:
    """Find the most similar supporter of items that have none among their neighbours.

    Two items neither of which is among the other's neighbours are no more similar than either's
    last neighbour. So first every supporter's own neighbours are looked at; then only supporters
    whose last neighbour is similar enough are compared with an item.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit or zero rows; they are not checked.
    graph
        Their neighbour graph.
    queries, supporters
        int [q] and int [s], rows.
    least
        float32 [q]: a supporter less similar than that is not given.
    """
    from epoxy_core.extension import kernels

    found = Nearest.nothing(len(queries))
    if not len(queries) or not len(supporters):
        return found
    place = np.full(len(graph.indices), -1, np.int32)
    place[queries] = np.arange(len(queries), dtype=np.int32)
    kernels.look_among_lists(
        read_only(graph.indices),
        read_only(graph.similarity),
        supporters.astype(np.int32),
        place,
        found.index,
        found.similarity,
    )
    far = ~(found.similarity >= least)
    found.index[far], found.similarity[far] = -1, np.nan
    ends = graph.similarity[supporters, -1]
    needed = found.at_least(least)
    reaching = ends >= needed.min()
    supporters = _first_copies(graph, np.asarray(embeddings), supporters[reaching])
    if not len(supporters):
        return found
    ends = graph.similarity[supporters, -1]
    by_end, by_need = np.argsort(-ends, kind="stable"), np.argsort(-needed, kind="stable")
    supporters, ends = supporters[by_end], ends[by_end]

    def search(first: int) -> None:
        at = by_need[first : first + _QUERIES_AT_ONCE]
        enough = int(np.searchsorted(-ends, -needed[at[-1]], side="right"))
        part = Nearest(found.index[at], found.similarity[at])
        support = supporters[:enough]
        _search_in_scope(vectors, queries[at], support, graph.scope, part, least[at])
        found.index[at], found.similarity[at] = part.index, part.similarity

    vectors = np.asarray(embeddings)
    with one_thread(), ThreadPoolExecutor(thread_count()) as pool:
        list(pool.map(search, range(0, len(queries), _QUERIES_AT_ONCE)))
    return found


def read_only(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """A plain view that cannot be written: kernels are compiled once, for such arrays."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _search_in_scope(
    vectors: Vectors,
    queries: Rows,
    support: Rows,
    scope: Scope | None,
    found: Nearest,
    least: npt.NDArray[np.float32],
) -> None:
    if scope is None or not scope.within:
        apart = scope.sequences if scope is not None and scope.across else None
        _search(vectors, queries, support, found, least, apart)
        return
    lenders = scope.places(support)
    for sequence, at in scope.places(queries).items():
        if sequence in lenders:
            part = Nearest(found.index[at], found.similarity[at])
            _search(vectors, queries[at], support[lenders[sequence]], part, least[at])
            found.index[at], found.similarity[at] = part.index, part.similarity


def _search(
    vectors: Vectors,
    queries: Rows,
    support: Rows,
    found: Nearest,
    least: npt.NDArray[np.float32],
    apart: Sequences | None = None,
) -> None:
    """Update what was found; supporters with the query's number ``apart`` do not count."""
    slack = matmul_slack(vectors.shape[1])
    for first in range(0, len(support), _SUPPORT_AT_ONCE):
        part = support[first : first + _SUPPORT_AT_ONCE]
        supporters = vectors[part]
        for top in range(0, len(queries), _QUERIES_AT_ONCE):
            block = np.s_[top : top + _QUERIES_AT_ONCE]
            rows = queries[block]
            rough = vectors[rows] @ supporters.T
            if apart is not None:
                np.copyto(rough, -np.inf, where=apart[rows, None] == apart[part])
            highest = rough.max(axis=1)
            needed = np.fmax(found.similarity[block], least[block]) - slack
            hot = np.flatnonzero((highest >= needed) & (highest > -np.inf))
            if not len(hot):
                continue
            bound = np.maximum(highest[hot] - 2 * slack, needed[hot])
            close = rough[hot] >= bound[:, None]
            close &= rough[hot] > -np.inf
            columns = np.arange(len(part))
            if np.count_nonzero(close) > _MANY * len(hot):
                columns = _without_duplicates(vectors, part, apart)
            row, column = np.nonzero(close[:, columns])
            rivals = part[columns[column]]
            exact = exact_similarity(vectors, rows[hot[row]], rivals[:, None])[:, 0]
            order = np.lexsort((rivals, -exact, row))
            which, first_of_row = np.unique(row[order], return_index=True)
            best = order[first_of_row]
            good = exact[best] >= least[block][hot[which]]
            found.take(top + hot[which[good]], rivals[best[good]], exact[best[good]])


def _first_copies(graph: NeighborGraph, vectors: Vectors, rows: Rows) -> Rows:
    """Leave out rows of whose vector a lower one has a copy, as far as the graph shows copies."""
    alike = graph.similarity[rows, 0] >= 1 - 2 * GRID
    scope = graph.scope
    apart = None if scope is None or scope.borrow_from == "any" else scope.sequences
    copies = rows[alike]
    first = copies[_without_duplicates(vectors, copies, apart)]
    return np.concatenate([rows[~alike], first])


def _without_duplicates(
    vectors: Vectors, rows: Rows, apart: Sequences | None
) -> npt.NDArray[np.intp]:
    """Drop rows whose vector a lower row that lends to the same items has: they win no tie."""
    ascending = np.argsort(rows, kind="stable")
    ordered = rows[ascending]
    raw = vectors[ordered].view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize)))[:, 0]
    if apart is not None:
        raw = np.unique(raw, return_inverse=True)[1] * (apart.max() + 1) + apart[ordered]
    return ascending[np.unique(raw, return_index=True)[1]]
