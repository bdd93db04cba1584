"""What votes say of items when the items' classes are known for the most part."""

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.anchors import (
    kinds_cast,
    logarithm,
    pseudo_votes,
    votes_by_class,
)
from epoxy_core.label_model.base import Floats, Strength, Votes, softmax
from epoxy_core.label_model.dawid_skene import DawidSkene
from epoxy_core.label_model.unique_votes import unique_votes

_MOST_STEPS = 50
_STILL = 1e-4


class VoteEvidence:
    """One M-step and the scores of one E-step of anchored Dawid–Skene, item by item.

    For models that know more of an item than its votes, and so have a posterior of their own for
    every item.

    Parameters
    ----------
    votes
        int8 [n, m] symbols, −1 = abstain.
    strength
        float32 [n, m], probabilities of soft votes; None: all are plain.
    n_classes
        K.
    """

    def __init__(self, votes: Votes, strength: Strength | None, n_classes: int) -> None:
        unique = unique_votes(votes, strength, n_classes)
        self.n_classes = n_classes
        self._inverse = unique.inverse
        self._tally = unique.tally()
        self._cast = unique.cast(unique.n_symbols)
        self._used = kinds_cast(unique.symbol_counts, n_classes)
        plain = DawidSkene(n_classes)
        self._anchor = pseudo_votes(self._used, n_classes, plain.pseudo_count, plain.diagonal_count)

    def by_votes(self, rows: npt.NDArray[np.bool_]) -> Floats:
        """Posterior from votes alone, by EM from vote shares: float64 [n, K].

        The classes' shares are taken to be equal: with confusion matrices that know nothing of
        coverage, any others make one class of everything.

        Parameters
        ----------
        rows
            bool [n], items to learn from; they have votes.
        """
        total = self._tally.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, self._tally / np.maximum(total, 1), 1 / self.n_classes)
        posterior = shares[self._inverse]
        for _ in range(_MOST_STEPS):
            before = posterior
            posterior = softmax(self.scores(self.learn(before, rows)))
            if np.abs(posterior - before).max(initial=0) < _STILL:
                break
        return posterior

    def learn(self, posterior: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
        """What a vote adds to the log-probability of each class, float64 [m, S, K].

        Parameters
        ----------
        posterior
            float64 [n, K].
        rows
            bool [n], items to learn from.
        """
        inverse, p = self._inverse[rows], self._cast.shape[0]
        mass = [np.bincount(inverse, column, minlength=p) for column in posterior[rows].T]
        seen = votes_by_class(self._cast, np.stack(mass, axis=1), self._anchor)
        return logarithm(seen / seen.sum(axis=1, keepdims=True), self._used)

    def scores(self, evidence: Floats) -> Floats:
        """Sum the evidence of each item's votes, float64 [n, K]."""
        return np.asarray(self._cast @ evidence.reshape(-1, self.n_classes))[self._inverse]
