"""Extended votes after an edit, from those before it."""

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.extend import ExtendedVotes, borrow, nearest_supporters
from epoxy_core.neighbors.graph import NeighborGraph


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
    n = len(votes)
    itself = np.arange(n, dtype=np.int32)
    own, was_own = votes >= 0, before.source == itself
    added = own & ~was_own
    # A source of −1 reads the last item's flag here; the next line does not look at it.
    still = own[before.source]
    keeps = ~own & ~was_own & ((before.source < 0) | still)

    source = np.where(own, itself, before.source)
    similarity = np.where(own, np.float32(1), before.similarity)
    anew = np.flatnonzero(~own & ~keeps)
    nothing_below = max(threshold, search_from)
    least = np.full(len(anew), nothing_below, dtype=np.float32)
    found = nearest_supporters(anew, own, graph, embeddings, least)
    source[anew], similarity[anew] = found.index, found.similarity

    kept = np.flatnonzero(keeps)
    least = np.fmax(similarity[kept], np.float32(nothing_below))
    rival = nearest_supporters(kept, added, graph, embeddings, least)
    nearer = (rival.index >= 0) & (
        (source[kept] < 0)
        | (rival.similarity > similarity[kept])
        | ((rival.similarity == similarity[kept]) & (rival.index < source[kept]))
    )
    source[kept[nearer]] = rival.index[nearer]
    similarity[kept[nearer]] = rival.similarity[nearer]
    return borrow(votes, source, similarity, threshold, strength)
