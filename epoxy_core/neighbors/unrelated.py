"""How similar items are that have nothing to do with one another."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.scope import Scope
from epoxy_core.neighbors.similarity import checked_embeddings, exact_similarity

_QUANTILE = 0.99
_QUANTILE_OF_SEQUENCES = 0.95


def random_similarity(
    embeddings: npt.NDArray[np.float32],
    scope: Scope | None = None,
    *,
    quantile: float | None = None,
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
    scope
        Items in sequences: then pairs are of different ones, whoever may lend to whom. (Of ten
        videos, every tenth pair is of the same one, and its frames are all but alike.) With a
        single sequence, as without.
    quantile
        In [0, 1]; by default .99, and .95 where pairs are of different sequences. (Of sixteen
        clips, two with the same black background were more than a hundredth of these pairs: with
        .99 nothing was borrowed but duplicates.)
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
    if scope is None or (scope.sequences == scope.sequences[0]).all():
        right = (left + draw.integers(1, n, size=pairs)) % n
        usual = _QUANTILE
    else:
        order = np.argsort(scope.sequences, kind="stable")
        _, start, size = np.unique(scope.sequences[order], return_index=True, return_counts=True)
        end, size = np.repeat(start + size, size), np.repeat(size, size)
        # From the end of the item's sequence on, round to its start.
        right = order[(end[left] + draw.integers(n - size[left])) % n]
        left, usual = order[left], _QUANTILE_OF_SEQUENCES
    drawn = exact_similarity(checked_embeddings(embeddings), left, right[:, None])
    return float(np.quantile(drawn, usual if quantile is None else quantile, method="higher"))
