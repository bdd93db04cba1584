"""Closed-form label model from the agreements of triplets of LFs (FlyingSquid), any K."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    PRIOR_OVERLAPS,
    Floats,
    Strength,
    Votes,
    class_prior,
)
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.label_model.vote_grams import VoteGrams, unique_vote_grams, vote_grams
from epoxy_core.labeling import beyond_chance

_MIN_OVERLAP = 5
_MIN_AGREEMENT = 0.05
_EXTREME_ACCURACY = 0.01
_NOTHING = 1e-9
_SIGNIFICANT = 3.0


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

    An LF of a > 0 knows the class of a share a of its items and guesses the others. One that votes
    against classes says of an item it knows any of the K−1 true things, and of another any of K;
    so it is right with p = (K−1+a)/K. Let u_c be the corner of class c less the centre 1/K. A
    vote for c is taken as u_c, one against c as −(K−1)·u_c: since the u_c sum to zero, the mean of
    both is then a·u_y if y is the class, and the product of two LFs' votes, times K/(K−1), has
    mean a_i·a_j whatever they vote and whatever the class balance; of two votes for classes it is
    the chance-corrected agreement. A soft vote counts by the share κ beyond chance that it
    claims, times its vote; then what factorises is the mean of κ²·g, where κ·g is what it knows
    (the claims may be off by a factor g that is the LF's own), and a is g times the mean of κ. An
    LF that always votes against the same class agrees or not by the class balance alone, as one
    that always votes for the same does.

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
        float64 [m], log(accuracy·(K−1)/(1−accuracy)): what a vote adds to its class's log-odds,
        with the accuracy of votes for a class.
    evidence_
        float64 [m, S, K], ``weights_`` for the class voted for; −log(p/((K−1)(1−p))) for the one
        voted against.
    silence_
        float64 [m, K], zero.
    """

    def __init__(self, n_classes: int, class_balance: Sequence[float] | None = None) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """See `LabelModel.fit`."""
        return self.fit_grams(vote_grams(votes, self.n_classes, strength))

    def fit_unique(self, unique: UniqueVotes) -> Self:
        """See `LabelModel.fit_unique`."""
        return self.fit_grams(unique_vote_grams(unique))

    def fit_grams(self, grams: VoteGrams) -> Self:
        """Learn from pairwise counts, summed over any number of chunks."""
        k = self.n_classes
        overlap = grams.overlap * (1 - np.eye(len(grams.overlap)))
        usable = overlap >= _MIN_OVERLAP
        agreed = np.divide(grams.agreement, overlap, out=np.zeros_like(overlap), where=usable)
        corrected = np.where(usable, (k * agreed - 1) / (k - 1), 0)
        claimed = np.divide(
            grams.claims,
            grams.claims_squared,
            out=np.zeros_like(grams.claims),
            where=grams.claims_squared > _NOTHING,
        )
        knowing = np.minimum(_strengths(corrected, usable) * claimed, 1)
        shares = grams.meetings / np.where(usable, overlap, 1)
        surplus = agreed - (shares * shares.transpose(0, 2, 1)).sum(axis=0)
        variety = grams.spread / np.where(usable, overlap, 1) - (shares**2).sum(axis=0)
        error = np.sqrt(np.maximum(variety * variety.T, 0) / (k - 1) / np.maximum(overlap, 1))
        known = usable & (error > _NOTHING)
        surprise = np.divide(surplus, error, out=np.zeros_like(surplus), where=known)
        signed = knowing * _signs(surprise, knowing * grams.overlap.diagonal())
        prior = beyond_chance(PRIOR_ACCURACY, 1 / k)
        seen = np.where(usable, overlap, 0).max(axis=1, initial=0)
        shrunk = (seen * signed + PRIOR_OVERLAPS * prior) / (seen + PRIOR_OVERLAPS)
        accuracy = (shrunk * (k - 1) + 1) / k
        self.accuracy_ = np.clip(accuracy, _EXTREME_ACCURACY, 1 - _EXTREME_ACCURACY)
        self.weights_ = np.log(self.accuracy_ * (k - 1) / (1 - self.accuracy_))
        self.evidence_ = self.weights_[:, None, None] * np.eye(k)
        self.silence_ = np.zeros((len(self.weights_), k))
        if grams.against.any():
            right = (k - 2 + self.accuracy_) / (k - 1)
            against = np.log(right / ((k - 1) * (1 - right)))
            taken = -against[:, None, None] * np.eye(k)
            self.evidence_ = np.concatenate([self.evidence_, taken], axis=1)
            share = grams.against / np.maximum(grams.overlap.diagonal(), 1)
            self.accuracy_ = self.accuracy_ + share * (right - self.accuracy_)
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """See `LabelModel.predict_proba`."""
        unique = unique_votes(votes, strength, self.n_classes)
        return self.predict_unique(unique)[unique.inverse]

    def predict_unique(self, unique: UniqueVotes) -> Floats:
        """See `LabelModel.predict_unique`."""
        prior = np.log(class_prior(self.n_classes, self.class_balance))
        return unique.probabilities(self.evidence_, self.silence_, prior)


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
