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
from epoxy_core.label_model.left_out import said_without
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
        m, n_symbols = unique.patterns.shape[1], unique.n_symbols
        self.evidence_ = np.tile(spread(self.n_classes)[:n_symbols], (m, 1, 1))
        self.silence_ = np.zeros((m, self.n_classes))
        out = np.eye(m, dtype=np.bool_)
        said, votes = said_without(unique, self.evidence_, self.silence_, out, least=2)
        agreed = (said[:, 1:] * allowed(self.n_classes)[:n_symbols]).sum(axis=(1, 2))
        pseudo = PRIOR_OVERLAPS * unique.prior_accuracy()
        self.accuracy_ = (agreed + pseudo) / (votes.sum(axis=1) + PRIOR_OVERLAPS)
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
