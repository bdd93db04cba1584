"""Extended votes: own votes, and where an LF abstains the vote of the nearest supporter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.nearest import Nearest, nearest_in
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors.graph import NeighborGraph

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class ExtendedVotes:
    """One LF's votes after extension.

    Attributes
    ----------
    votes
        int8 [n]; −1 = abstain.
    source
        int32 [n], the row of the item whose vote it is: itself for an own vote, −1 for none.
    similarity
        float32 [n], to the source: 1 for an own vote, NaN for none.
    strength
        float32 [n], the LF's own probability of the source's vote, 1 for none; None where no vote
        is soft.
    """

    votes: npt.NDArray[np.int8]
    source: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32] | None = None


def extend_votes(
    votes: npt.NDArray[np.int8],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    threshold: float,
    search_from: float = -1.0,
    strength: npt.NDArray[np.float32] | None = None,
) -> ExtendedVotes:
    """Extend one LF as an exhaustive search of its support would (Epoxy, arXiv 2006.15168).

    Own votes stay. An abstaining item takes the vote of the most similar item of the support that
    the graph's scope lets it borrow from, the lowest row among ties, if the similarity is at least
    ``threshold``.

    Parameters
    ----------
    votes
        int8 [n]; −1 = abstain.
    graph
        The neighbour graph of ``embeddings``, of any length.
    embeddings
        float32 [n, d], unit or zero rows.
    threshold
        Cosine similarity in [−1, 1].
    search_from
        Where an item's last neighbour is less similar than this, its search ends with its
        neighbours; the default searches the whole support.
    strength
        float32 [n], the LF's own probabilities of its votes; a borrowed vote has its source's.
    """
    own = votes >= 0
    abstaining = np.flatnonzero(~own)
    least = np.full(len(abstaining), max(threshold, search_from), dtype=np.float32)
    nearest = nearest_supporters(abstaining, own, graph, embeddings, least)
    source = np.where(own, np.arange(len(votes), dtype=np.int32), np.int32(ABSTAIN))
    similarity = np.where(own, np.float32(1), np.float32(np.nan))
    source[abstaining], similarity[abstaining] = nearest.index, nearest.similarity
    return borrow(votes, source, similarity, threshold, strength)


def borrow(
    votes: npt.NDArray[np.int8],
    source: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
    threshold: float,
    strength: npt.NDArray[np.float32] | None = None,
) -> ExtendedVotes:
    """Own votes, and those of the sources that are similar enough.

    Parameters
    ----------
    votes
        int8 [n]; −1 = abstain.
    source, similarity
        int32 [n], float32 [n]: the item itself where it votes, else its nearest supporter if it
        has one; changed in place.
    threshold
        Cosine similarity in [−1, 1].
    strength
        float32 [n], the LF's own probabilities of its votes; None where no vote is soft.
    """
    kept = votes >= 0
    borrowed = np.flatnonzero(~kept & (source >= 0))
    kept[borrowed] = similarity[borrowed] >= np.float32(threshold)
    source[~kept], similarity[~kept] = ABSTAIN, np.nan
    extended = np.where(kept, votes[source], np.int8(ABSTAIN))
    if strength is not None:
        strength = np.where(kept, strength[source], np.float32(1))
    return ExtendedVotes(extended, source, similarity, strength)


def nearest_supporters(
    rows: npt.NDArray[np.intp],
    supporters: npt.NDArray[np.bool_],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    least: npt.NDArray[np.float32],
) -> Nearest:
    """The nearest supporter of each row, if it is at least as similar as ``least`` says.

    A supporter among an item's neighbours is its nearest. With none among them, those left are no
    more similar than the last neighbour: the items for which that is not too little are searched.

    Parameters
    ----------
    rows
        int [r], none of them a supporter.
    supporters
        bool [n].
    graph, embeddings
        Of all n items.
    least
        float32 [r]. A supporter less similar than that may be given, or not.
    """
    n, k = graph.indices.shape
    index = np.full(len(rows), ABSTAIN, dtype=np.int32)
    similarity = np.full(len(rows), np.nan, dtype=np.float32)
    support = np.flatnonzero(supporters)
    if not len(support):
        return Nearest(index, similarity)
    doubtful = []
    flags = np.append(supporters, False)  # the last is nobody's, in place of a neighbour
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        supports = flags[graph.indices[part]]
        place = supports.argmax(axis=1)
        found = supports[np.arange(len(part)), place]
        at = first + np.flatnonzero(found)
        index[at] = graph.indices[part[found], place[found]]
        similarity[at] = graph.similarity[part[found], place[found]]
        if k < n - 1:
            missed = first + np.flatnonzero(~found)
            last = graph.similarity[rows[missed], -1]
            doubtful.append(missed[last >= least[missed]])
    searched = np.concatenate(doubtful) if doubtful else np.empty(0, dtype=np.intp)
    if len(searched):
        nearest = nearest_in(embeddings, rows[searched], support, graph.scope)
        index[searched], similarity[searched] = nearest.index, nearest.similarity
    return Nearest(index, similarity)
