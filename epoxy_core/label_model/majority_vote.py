"""Majority vote: the label model every other one must beat."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    PRIOR_OVERLAPS,
    Floats,
    Votes,
    class_prior,
    class_votes,
    validate_votes,
    vote_patterns,
)


class MajorityVote:
    """The class with the most votes takes all the probability; classes that tie share it equally.

    An item without votes gets the class balance.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.

    Attributes
    ----------
    accuracy_
        float64 [m], how much of the majority of the *other* LFs' votes is for the LF's vote,
        shrunk to 0.7 by 30 pseudo-votes. Votes that no other LF joins are not counted.
    evidence_
        float64 [m, K, K], 1 for the class voted for.
    """

    def __init__(self, n_classes: int, class_balance: Sequence[float] | None = None) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance

    def fit(self, votes: Votes) -> Self:
        """Estimate accuracies; the vote itself has nothing to learn. See `LabelModel.fit`."""
        patterns, _, counts = vote_patterns(validate_votes(votes, self.n_classes))
        tally = class_votes(patterns, self.n_classes)
        self.accuracy_ = np.empty(patterns.shape[1])
        self.evidence_ = np.tile(np.eye(self.n_classes), (patterns.shape[1], 1, 1))
        for lf, cast in enumerate(patterns.T):
            joined = np.flatnonzero((cast >= 0) & (tally.sum(axis=1) >= 2))
            mine = (np.arange(len(joined)), cast[joined])
            others = tally[joined]
            others[mine] -= 1
            agreed = float(_share_of_top(others)[mine] @ counts[joined])
            overlaps = int(counts[joined].sum())
            self.accuracy_[lf] = (agreed + PRIOR_OVERLAPS * PRIOR_ACCURACY) / (
                overlaps + PRIOR_OVERLAPS
            )
        return self

    def predict_proba(self, votes: Votes) -> Floats:
        """See `LabelModel.predict_proba`."""
        patterns, inverse, _ = vote_patterns(validate_votes(votes, self.n_classes))
        tally = class_votes(patterns, self.n_classes)
        posterior = _share_of_top(tally)
        posterior[tally.sum(axis=1) == 0] = class_prior(self.n_classes, self.class_balance)
        return posterior[inverse]


def _share_of_top(tally: Floats) -> Floats:
    top = tally == tally.max(axis=1, keepdims=True)
    return np.asarray(top / top.sum(axis=1, keepdims=True))
