"""Majority vote: the label model every other one must beat."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from epoxy_core.label_model.base import (
    PRIOR_OVERLAPS,
    Floats,
    Strength,
    Votes,
    class_prior,
    share_of_top,
)
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.labeling import allowed, spread


class MajorityVote:
    """The class with the most votes takes all the probability; classes that tie share it equally.

    A vote against a class is shared evenly by the others, 1/(K−1) each; a soft vote by all
    classes, as its probability says. Tallies within 1e-9 of the largest tie with it. An item
    without votes gets the class balance.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.

    Attributes
    ----------
    accuracy_
        float64 [m], how much of the majority of the *other* LFs' votes makes the LF's vote true,
        shrunk by 30 pseudo-votes to 0.7 (votes against a class: to what knows as much beyond
        chance). Votes that no other LF joins are not counted.
    evidence_
        float64 [m, S, K], 1 for the class voted for; 1/(K−1) for all but the one voted against.
    silence_
        float64 [m, K], zero.
    """

    def __init__(self, n_classes: int, class_balance: Sequence[float] | None = None) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """Estimate accuracies; the vote itself has nothing to learn. See `LabelModel.fit`."""
        return self.fit_unique(unique_votes(votes, strength, self.n_classes))

    def fit_unique(self, unique: UniqueVotes) -> Self:
        """See `LabelModel.fit_unique`."""
        patterns, counts, tally = unique.patterns, unique.counts, unique.tally()
        truth, prior = allowed(self.n_classes), unique.prior_accuracy()
        several = (patterns >= 0).sum(axis=1) >= 2
        table = spread(self.n_classes)[: unique.n_symbols]
        self.accuracy_ = np.empty(patterns.shape[1])
        self.evidence_ = np.tile(table, (patterns.shape[1], 1, 1))
        self.silence_ = np.zeros((patterns.shape[1], self.n_classes))
        for lf, cast in enumerate(patterns.T):
            joined = np.flatnonzero((cast >= 0) & several)
            majority = share_of_top(tally[joined] - unique.shared_out(lf, joined))
            agreed = float((majority * truth[cast[joined]]).sum(axis=1) @ counts[joined])
            overlaps = int(counts[joined].sum())
            self.accuracy_[lf] = (agreed + PRIOR_OVERLAPS * prior[lf]) / (overlaps + PRIOR_OVERLAPS)
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """See `LabelModel.predict_proba`."""
        unique = unique_votes(votes, strength, self.n_classes)
        return self.predict_unique(unique)[unique.inverse]

    def predict_unique(self, unique: UniqueVotes) -> Floats:
        """See `LabelModel.predict_unique`."""
        posterior = share_of_top(unique.tally())
        silent = (unique.patterns < 0).all(axis=1)
        posterior[silent] = class_prior(self.n_classes, self.class_balance)
        return posterior
