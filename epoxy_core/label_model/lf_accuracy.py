"""How often an LF is right, as a label model has it."""

import numpy as np

from epoxy_core.label_model.base import PRIOR_OVERLAPS, Floats
from epoxy_core.label_model.unique_votes import UniqueVotes


def accuracy_beside_others(unique: UniqueVotes, posterior: Floats) -> Floats:
    """Mean posterior of what each LF's votes say, over items that other LFs vote on, float64 [m].

    Shrunk by 30 pseudo-votes to 0.7 (votes against a class: to what knows as much beyond chance).

    Parameters
    ----------
    unique
        The votes.
    posterior
        float64 [p, K].
    """
    patterns, k = unique.patterns, unique.n_classes
    accuracy = unique.prior_accuracy()
    several = (patterns >= 0).sum(axis=1) >= 2
    for lf, cast in enumerate(patterns.T):
        joined = np.flatnonzero(several & (cast >= 0))
        named = posterior[joined, cast[joined] % k]
        counts = unique.counts[joined]
        right = float(np.where(cast[joined] < k, named, 1 - named) @ counts)
        pseudo = PRIOR_OVERLAPS * accuracy[lf]
        accuracy[lf] = (right + pseudo) / (counts.sum() + PRIOR_OVERLAPS)
    return accuracy
