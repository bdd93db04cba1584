"""Closed-form label model from the agreements of triplets of LFs (FlyingSquid), any K."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

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
_NOTHING = 1e-9
_SIGNIFICANT = 3.0


class VoteGrams(NamedTuple):
    """Pairwise counts; those of two sets of items add up.

    Attributes
    ----------
    overlap
        float64 [m, m], items on which both LFs vote; the diagonal is the coverage.
    agreement
        float64 [m, m], items on which both vote the same class.
    meetings
        float64 [K, m, m], items on which LF i votes the class and LF j votes anything.
    """

    overlap: Floats
    agreement: Floats
    meetings: Floats


def vote_grams(votes: Votes, n_classes: int) -> VoteGrams:
    """Count pairs of votes by 2·K + 1 Gram matrices over the unique vote patterns."""
    patterns, _, counts = vote_patterns(votes)
    weight = counts[:, None].astype(np.float64)
    voted = (patterns >= 0).astype(np.float64)
    agreement = np.zeros((patterns.shape[1], patterns.shape[1]))
    meetings = np.empty((n_classes, *agreement.shape))
    for label in range(n_classes):
        cast = (patterns == label).astype(np.float64)
        agreement += (cast * weight).T @ cast
        meetings[label] = (cast * weight).T @ voted
    return VoteGrams((voted * weight).T @ voted, agreement, meetings)


class Triplets:
    """One accuracy per LF, from pairwise agreements alone.

    For LFs that err independently and evenly over the wrong classes, the chance-corrected
    agreement of a pair is O_ij = a_i·a_j with a = (K·accuracy − 1)/(K − 1), so that
    |a_i| = √|O_ij·O_ik / O_jk| (Fu et al. 2020, FlyingSquid, arXiv 2002.11955; K classes by
    the one-coin correction). The median over all pairs (j, k) with at least 5 overlaps each and
    |O_jk| ≥ 0.05 is taken; an LF in no triplet takes the median √|O_ij|, as if its partners were
    its equals. Signs come from how far each pair agrees beyond what the two LFs' vote shares
    explain, in standard errors: the leading eigenvector splits each connected group of LFs into
    two sides, the one with more votes is right, and an LF on the other is negative if it is at
    odds with the split by three standard errors. (Two LFs that vote one class each always or
    never agree, whatever they are worth, so such LFs stay positive.) Each a is shrunk to that
    of accuracy 0.7 by 30 pseudo-overlaps. Abstaining is taken to say nothing about the class.

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
    evidence_
        float64 [m, K, K], ``weights_`` for the class voted for.
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
        shares = grams.meetings / np.where(usable, overlap, 1)
        surplus = agreed - (shares * shares.transpose(0, 2, 1)).sum(axis=0)
        variety = 1 - (shares**2).sum(axis=0)
        error = np.sqrt(np.maximum(variety * variety.T, 0) / (k - 1) / np.maximum(overlap, 1))
        known = usable & (error > _NOTHING)
        surprise = np.divide(surplus, error, out=np.zeros_like(surplus), where=known)
        signed = strength * _signs(surprise, strength * grams.overlap.diagonal())
        prior = (k * PRIOR_ACCURACY - 1) / (k - 1)
        seen = np.where(usable, overlap, 0).max(axis=1, initial=0)
        shrunk = (seen * signed + PRIOR_OVERLAPS * prior) / (seen + PRIOR_OVERLAPS)
        accuracy = (shrunk * (k - 1) + 1) / k
        self.accuracy_ = np.clip(accuracy, _EXTREME_ACCURACY, 1 - _EXTREME_ACCURACY)
        self.weights_ = np.log(self.accuracy_ * (k - 1) / (1 - self.accuracy_))
        self.evidence_ = self.weights_[:, None, None] * np.eye(k)
        return self

    def predict_proba(self, votes: Votes) -> Floats:
        """See `LabelModel.predict_proba`."""
        patterns, inverse, _ = vote_patterns(validate_votes(votes, self.n_classes))
        prior = np.log(class_prior(self.n_classes, self.class_balance))
        return softmax(prior + class_votes(patterns, self.n_classes, self.weights_))[inverse]


def _strengths(corrected: Floats, usable: npt.NDArray[np.bool_]) -> Floats:
    """Estimate |a| of each LF, in [0, 1]; 0 for one that overlaps with none."""
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


def _signs(surprise: Floats, votes: Floats) -> Floats:
    """Tell the LFs that are reliably on the side with fewer of the (weighted) votes: −1."""
    from scipy.sparse.csgraph import connected_components

    signs = np.ones(len(surprise))
    groups, member = connected_components(surprise != 0, directed=False)
    for group in range(groups):
        lfs = np.flatnonzero(member == group)
        within = surprise[np.ix_(lfs, lfs)]
        leading = np.linalg.eigh(within)[1][:, -1]
        side = np.where(leading < 0, -1.0, 1.0)
        if side @ votes[lfs] < 0:
            side = -side
        against = within @ side / np.sqrt(np.maximum((within != 0).sum(axis=1), 1))
        signs[lfs[(side < 0) & (against < -_SIGNIFICANT)]] = -1
    return signs
