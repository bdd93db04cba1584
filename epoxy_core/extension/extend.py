"""Extended votes: own votes, and where an LF abstains the vote of the nearest supporter."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.neighbors import NeighborGraph, nearest_in
from epoxy_core.extension.similarity import checked_embeddings, exact_similarity
from epoxy_core.labeling import ABSTAIN

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
    """

    votes: npt.NDArray[np.int8]
    source: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]


def extend_votes(
    votes: npt.NDArray[np.int8],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    threshold: float,
) -> ExtendedVotes:
    """Extend one LF as an exhaustive search of its support would (Epoxy, arXiv 2006.15168).

    Own votes stay. An abstaining item takes the vote of the most similar item of the support,
    the lowest row among ties, if the similarity is at least ``threshold``. A supporter among an
    item's neighbours is its nearest; with none among them and the last neighbour less similar
    than the threshold, nothing qualifies; the other items are searched in the support.

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
    """
    own = votes >= 0
    n = len(votes)
    source = np.where(own, np.arange(n, dtype=np.int32), np.int32(ABSTAIN))
    similarity = np.where(own, np.float32(1), np.float32(np.nan))
    support = np.flatnonzero(own)
    if 0 < len(support) < n:
        unknown = _read_graph(own, graph, threshold, source, similarity)
        if len(unknown):
            nearest = nearest_in(embeddings, unknown, support)
            source[unknown], similarity[unknown] = nearest.index, nearest.similarity
    borrowed = source >= 0
    borrowed[borrowed] = similarity[borrowed] >= threshold
    kept = own | borrowed
    source[~kept], similarity[~kept] = ABSTAIN, np.nan
    extended = np.where(kept, votes[source], np.int8(ABSTAIN))
    return ExtendedVotes(extended, source, similarity)


def random_similarity(
    embeddings: npt.NDArray[np.float32],
    quantile: float = 0.99,
    pairs: int = 100_000,
    seed: int = 0,
) -> float:
    """Find the similarity that only a share 1 − ``quantile`` of random pairs of items reach.

    A vote borrowed from farther away than that says little; as the lowest threshold it spares the
    search and the storage of such votes. 1 for fewer than two items.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit or zero rows.
    quantile
        In [0, 1].
    pairs
        Number of pairs of distinct items drawn.
    seed
        Of the draw.
    """
    n = len(embeddings)
    if n < 2:
        return 1.0
    draw = np.random.default_rng(seed)
    left = draw.integers(n, size=pairs)
    right = (left + draw.integers(1, n, size=pairs)) % n
    drawn = exact_similarity(checked_embeddings(embeddings), left, right[:, None])
    return float(np.quantile(drawn, quantile, method="higher"))


def _read_graph(
    own: npt.NDArray[np.bool_],
    graph: NeighborGraph,
    threshold: float,
    source: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
) -> npt.NDArray[np.intp]:
    """Fill in each abstaining item's first supporting neighbour; return the rows left in doubt."""
    n, k = graph.indices.shape
    unknown = []
    for first in range(0, n, _ROWS_AT_ONCE):
        rows = first + np.flatnonzero(~own[first : first + _ROWS_AT_ONCE])
        supports = own[graph.indices[rows]]
        found = supports.any(axis=1)
        place = supports[found].argmax(axis=1)
        source[rows[found]] = graph.indices[rows[found], place]
        similarity[rows[found]] = graph.similarity[rows[found], place]
        if k < n - 1:
            missed = rows[~found]
            unknown.append(missed[graph.similarity[missed, -1] >= threshold])
    return np.concatenate(unknown) if unknown else np.empty(0, dtype=np.intp)
