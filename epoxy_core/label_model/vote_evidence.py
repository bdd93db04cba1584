"""What votes say of items when the items' classes are known for the most part."""

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats, Strength, Votes
from epoxy_core.label_model.dawid_skene import (
    DawidSkene,
    _logarithm,
    _m_step,
    _symbols_used,
)
from epoxy_core.label_model.unique_votes import unique_votes


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
        self._cast = unique.cast(unique.n_symbols)
        self._used = _symbols_used(self._cast, unique.n_symbols, n_classes)
        self._anchor = DawidSkene(n_classes)._anchor(self._used)
        self._once = np.ones(len(unique.patterns), dtype=np.int64)

    def learn(self, posterior: Floats, rows: npt.NDArray[np.bool_]) -> Floats:
        """What a vote adds to the log-probability of each class, float64 [m, S, K].

        Parameters
        ----------
        posterior
            float64 [n, K].
        rows
            bool [n], items to learn from.
        """
        inverse, p = self._inverse[rows], len(self._once)
        mass = [np.bincount(inverse, column, minlength=p) for column in posterior[rows].T]
        confusion = _m_step(self._cast, np.stack(mass, axis=1), self._once, self._anchor)
        return _logarithm(confusion, self._used)

    def scores(self, evidence: Floats) -> Floats:
        """Sum the evidence of each item's votes, float64 [n, K]."""
        return np.asarray(self._cast @ evidence.reshape(-1, self.n_classes))[self._inverse]
