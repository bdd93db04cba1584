"""Closed-form label model from the agreements of triplets of LFs (FlyingSquid), any K."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    PRIOR_OVERLAPS,
    Floats,
    Votes,
    class_prior,
    class_votes,
    softmax,
    validate_votes,
    vote_patterns,
)

_MIN_OVERLAP = 5
_MIN_AGREEMENT = 0.05
_EXTREME_ACCURACY = 0.01


class VoteGrams(NamedTuple):
    """Pairwise counts; those of two sets of items add up.

    Attributes
    ----------
    overlap
        float64 [m, m], items on which both LFs vote; the diagonal is the coverage.
    agreement
        float64 [m, m], items on which both vote the same class.
    """

    overlap: Floats
    agreement: Floats


def vote_grams(votes: Votes, n_classes: int) -> VoteGrams:
    """Count overlaps and agreements by K + 1 Gram matrices over the unique vote patterns."""
    patterns, _, counts = vote_patterns(votes)
    grams = []
    for cast in (patterns >= 0, *(patterns == label for label in range(n_classes))):
        grams.append((cast * counts[:, None].astype(np.float64)).T @ cast.astype(np.float64))
    return VoteGrams(grams[0], np.sum(grams[1:], axis=0))


class Triplets:
    """One accuracy per LF, from pairwise agreements alone.

    For LFs that err independently and evenly over the wrong classes, the chance-corrected
    agreement of a pair is O_ij = a_i·a_j with a = (K·accuracy − 1)/(K − 1), so that
    |a_i| = √|O_ij·O_ik / O_jk| (Fu et al. 2020, FlyingSquid, arXiv 2002.11955, §3; K classes by
    the one-coin correction). The median over all pairs (j, k) with at least 5 overlaps each and
    |O_jk| ≥ 0.05 is taken; an LF in no triplet takes the median √|O_ij|, as if its partners were
    its equals. Signs are those of the leading eigenvector of O, per connected group of LFs, so
    turned that most of the group's votes are right. Each a is shrunk to that of accuracy 0.7 by
    30 pseudo-overlaps. Abstaining is taken to say nothing about the class.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.

    Attributes
    ----------
    accuracy_
        float64 [m].
    weights_
        float64 [m], log(accuracy·(K−1)/(1−accuracy)): what a vote adds to its class's log-odds.
    """

    def __init__(self, n_classes: int, class_balance: Sequence[float] | None = None) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance

    def fit(self, votes: Votes) -> Self:
        """See `LabelModel.fit`."""
        return self.fit_grams(vote_grams(validate_votes(votes, self.n_classes), self.n_classes))

    def fit_grams(self, grams: VoteGrams) -> Self:
        """Learn from pairwise counts, summed over any number of chunks."""
        k = self.n_classes
        overlap = grams.overlap * (1 - np.eye(len(grams.overlap)))
        usable = overlap >= _MIN_OVERLAP
        agreed = np.divide(grams.agreement, overlap, out=np.zeros_like(overlap), where=usable)
        corrected = np.where(usable, (k * agreed - 1) / (k - 1), 0)
        strength = _strengths(corrected, usable)
        signed = strength * _signs(corrected, overlap, strength * grams.overlap.diagonal())
        prior = (k * PRIOR_ACCURACY - 1) / (k - 1)
        seen = np.where(usable, overlap, 0).max(axis=1, initial=0)
        shrunk = (seen * signed + PRIOR_OVERLAPS * prior) / (seen + PRIOR_OVERLAPS)
        accuracy = (shrunk * (k - 1) + 1) / k
        self.accuracy_ = np.clip(accuracy, _EXTREME_ACCURACY, 1 - _EXTREME_ACCURACY)
        self.weights_ = np.log(self.accuracy_ * (k - 1) / (1 - self.accuracy_))
        return self

    def predict_proba(self, votes: Votes) -> Floats:
        """See `LabelModel.predict_proba`."""
        patterns, inverse, _ = vote_patterns(validate_votes(votes, self.n_classes))
        prior = np.log(class_prior(self.n_classes, self.class_balance))
        return softmax(prior + class_votes(patterns, self.n_classes, self.weights_))[inverse]


def _strengths(corrected: Floats, usable: Floats) -> Floats:
    """|a| of each LF in [0, 1]; 0 for one that overlaps with none."""
    strength = np.zeros(len(corrected))
    closed = np.triu(usable & (np.abs(corrected) >= _MIN_AGREEMENT), 1)
    for lf, mine in enumerate(corrected):
        partners = usable[lf]
        if not partners.any():
            continue
        j, k = np.nonzero(closed & partners[:, None] & partners)
        squares = np.abs(mine[j] * mine[k] / corrected[j, k]) if len(j) else np.abs(mine[partners])
        strength[lf] = np.median(np.minimum(np.sqrt(squares), 1))
    return strength


def _signs(corrected: Floats, overlap: Floats, votes: Floats) -> Floats:
    """±1 per LF: who sides with whom, turned to the side with more of the (weighted) votes."""
    from scipy.sparse.csgraph import connected_components

    signs = np.ones(len(corrected))
    reliable = corrected * overlap / (overlap + PRIOR_OVERLAPS)
    groups, member = connected_components(reliable != 0, directed=False)
    for group in range(groups):
        lfs = np.flatnonzero(member == group)
        leading = np.linalg.eigh(reliable[np.ix_(lfs, lfs)])[1][:, -1]
        side = np.where(leading < 0, -1.0, 1.0)
        signs[lfs] = -side if side @ votes[lfs] < 0 else side
    return signs
