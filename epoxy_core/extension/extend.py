"""Extended votes: own votes, and where an LF abstains the vote of the nearest supporter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.nearest import nearest_beyond, nearest_of, read_only
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors.graph import NeighborGraph
from epoxy_core.threads import by_rows


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
    ``threshold``. That holds as far as the graph holds what it should: where it lacks neighbours
    (`NeighborGraph.recall` below 1), a supporter among them may be missed.

    Parameters
    ----------
    votes
        int8 [n]; −1 = abstain.
    graph
        The neighbour graph of ``embeddings``, of any length.
    embeddings
        float32 [n, d], unit or zero rows; they are not checked.
    threshold
        Cosine similarity in [−1, 1].
    search_from
        Nobody but an item's neighbours lends to it if less similar than this. So only items whose
        neighbours are all as similar are searched for; the default searches the whole support.
    strength
        float32 [n], the LF's own probabilities of its votes; a borrowed vote has its source's.
    """
    n = len(votes)
    nothing = ExtendedVotes(
        np.full(n, ABSTAIN, np.int8), np.full(n, ABSTAIN, np.int32), np.full(n, np.nan, np.float32)
    )
    return extend_again(nothing, votes, graph, embeddings, threshold, search_from, strength)


def extend_some(
    rows: npt.NDArray[np.intp],
    votes: npt.NDArray[np.int8],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    threshold: float,
) -> ExtendedVotes:
    """What ``extend_votes`` gives for few of the items; the others have their own votes only.

    Parameters
    ----------
    rows
        int [r], the few.
    votes, graph, embeddings, threshold
        As in ``extend_votes``.
    """
    own = votes >= 0
    extended, asking = votes.copy(), rows[~own[rows]]
    source = np.where(own, np.arange(len(votes), dtype=np.int32), np.int32(ABSTAIN))
    similarity = np.where(own, np.float32(1), np.float32(np.nan))
    near = nearest_of(embeddings, asking, np.flatnonzero(own), graph.scope, threshold)
    source[asking], similarity[asking] = near.index, near.similarity
    extended[asking] = np.where(near.index >= 0, votes[near.index], np.int8(ABSTAIN))
    return ExtendedVotes(extended, source, similarity)


def extend_again(
    before: ExtendedVotes,
    votes: npt.NDArray[np.int8],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    threshold: float,
    search_from: float = -1.0,
    strength: npt.NDArray[np.float32] | None = None,
) -> ExtendedVotes:
    """Exactly what ``extend_votes`` gives for ``votes``, at the cost of what the edit changed.

    An item whose source still votes keeps it unless an added supporter is nearer, and only added
    supporters are looked at. An item that lost its source, or its own vote, is looked up anew.

    A supporter among an item's neighbours is its nearest. With none among them, those left are no
    more similar than the last neighbour: the items for which that is not too little are searched
    for (`nearest_beyond`).

    Parameters
    ----------
    before
        Extended votes of the same LF with this very graph, threshold and ``search_from``.
    votes
        int8 [n], the LF's votes now; −1 = abstain.
    graph, embeddings
        Of all n items.
    threshold, search_from, strength
        As in ``extend_votes``.
    """
    from epoxy_core.extension import kernels

    n, width = graph.indices.shape
    own = votes >= 0
    added = own & (before.source != np.arange(n, dtype=np.int32))
    least, beyond = np.float32(threshold), np.float32(max(threshold, search_from))
    extended, doubtful = np.empty(n, np.int8), np.empty(n, np.uint8)
    source, similarity = np.empty(n, np.int32), np.empty(n, np.float32)
    constants = (
        read_only(graph.indices),
        read_only(graph.similarity),
        read_only(np.ascontiguousarray(votes)),
        np.packbits(own, bitorder="little"),
        np.packbits(added, bitorder="little"),
        bool(added.any()),
        read_only(before.source),
        read_only(before.similarity),
        least,
        beyond if width < n - 1 else np.float32(np.inf),
    )

    def look(first: int, last: int) -> None:
        kernels.look_among_neighbors(
            *constants, first, last, extended, source, similarity, doubtful
        )

    by_rows(n, look)
    for kind, lenders in ((kernels.ANEW, own), (kernels.KEPT, added)):
        rows = np.flatnonzero(doubtful == kind)
        needed = np.fmax(similarity[rows], beyond)
        found = nearest_beyond(embeddings, graph, rows, np.flatnonzero(lenders), needed)
        nearer = (found.index >= 0) & (
            (source[rows] < 0)
            | (found.similarity > similarity[rows])
            | ((found.similarity == similarity[rows]) & (found.index < source[rows]))
        )
        rows, index = rows[nearer], found.index[nearer]
        source[rows], similarity[rows] = index, found.similarity[nearer]
        extended[rows] = votes[index]
    if strength is not None:
        strength = np.where(source >= 0, strength[source], np.float32(1))
    return ExtendedVotes(extended, source, similarity, strength)
