"""Dawid–Skene by EM, anchored so that it stays near the votes."""

from collections.abc import Sequence
from typing import Any, Self

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

Counts = npt.NDArray[np.int64]


class DawidSkene:
    """A confusion matrix per LF (Dawid & Skene 1979), over the votes that were cast.

    EM starts from each item's vote shares. Two anchors keep it from drifting to a relabelling of
    the classes or to one class only: pseudo-counts, more on the diagonal, and a class balance
    that is never learned. Abstaining is taken to say nothing about the class. The E-step runs
    over unique vote patterns.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.
    pseudo_count
        Added to every cell of every confusion matrix.
    diagonal_count
        Added to the diagonal as well.
    tolerance
        EM stops when no confusion probability moves by more.
    max_iterations
        EM stops at the latest after as many.

    Attributes
    ----------
    confusion_
        float64 [m, K, K], P(vote c | class k, LF did not abstain) at [LF, c, k].
    evidence_
        float64 [m, K, K], its logarithm.
    accuracy_
        float64 [m], share of an LF's votes that are for the item's most probable class, weighted
        by how sure the posterior is, over items that other LFs vote on; shrunk to 0.7 by 30
        pseudo-votes. It takes the most probable class for the truth and so is some points high.
        The mean posterior of the votes would not be if the posterior were calibrated, but LFs
        that vote one class only make that far too flat.
    converged_
        Whether the tolerance was met.
    n_iterations_
        EM steps made.
    """

    def __init__(
        self,
        n_classes: int,
        class_balance: Sequence[float] | None = None,
        *,
        pseudo_count: float = 1.0,
        diagonal_count: float = 20.0,
        tolerance: float = 1e-5,
        max_iterations: int = 200,
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.pseudo_count = pseudo_count
        self.diagonal_count = diagonal_count
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, votes: Votes) -> Self:
        """See `LabelModel.fit`."""
        k = self.n_classes
        prior = class_prior(k, self.class_balance)
        patterns, _, counts = vote_patterns(validate_votes(votes, k))
        cast = _one_hot(patterns, k)
        anchor = self.pseudo_count + self.diagonal_count * np.eye(k)

        tally = class_votes(patterns, k)
        joined = tally.sum(axis=1) > 0
        posterior = np.tile(prior, (len(patterns), 1))
        posterior[joined] = tally[joined] / tally[joined].sum(axis=1, keepdims=True)
        self.confusion_ = self._m_step(cast, posterior, counts, anchor)
        self.converged_ = False
        self.n_iterations_ = 0
        while not self.converged_ and self.n_iterations_ < self.max_iterations:
            self.n_iterations_ += 1
            posterior = _e_step(cast, self.confusion_, prior)
            confusion = self._m_step(cast, posterior, counts, anchor)
            moved = np.abs(confusion - self.confusion_).max(initial=0)
            self.converged_ = bool(moved <= self.tolerance)
            self.confusion_ = confusion
        self.evidence_ = np.log(self.confusion_)
        self.accuracy_ = _accuracy(patterns, counts, _e_step(cast, self.confusion_, prior))
        return self

    def predict_proba(self, votes: Votes) -> Floats:
        """See `LabelModel.predict_proba`."""
        patterns, inverse, _ = vote_patterns(validate_votes(votes, self.n_classes))
        prior = class_prior(self.n_classes, self.class_balance)
        return _e_step(_one_hot(patterns, self.n_classes), self.confusion_, prior)[inverse]

    def _m_step(self, cast: Any, posterior: Floats, counts: Counts, anchor: Floats) -> Floats:
        k = self.n_classes
        seen = np.asarray(cast.T @ (posterior * counts[:, None])).reshape(-1, k, k) + anchor
        return np.asarray(seen / seen.sum(axis=1, keepdims=True))


def _one_hot(patterns: Votes, n_classes: int) -> Any:
    """Sparse [p, m·K]: a one at LF·K + vote."""
    from scipy.sparse import csr_array

    rows, lfs = np.nonzero(patterns >= 0)
    columns = lfs * n_classes + patterns[rows, lfs]
    shape = (len(patterns), patterns.shape[1] * n_classes)
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _e_step(cast: Any, confusion: Floats, prior: Floats) -> Floats:
    return softmax(np.log(prior) + cast @ np.log(confusion).reshape(-1, len(prior)))


def _accuracy(patterns: Votes, counts: Counts, posterior: Floats) -> Floats:
    accuracy = np.empty(patterns.shape[1])
    top = posterior.max(axis=1)
    rest = (1 - top) / (posterior.shape[1] - 1)
    several = (patterns >= 0).sum(axis=1) >= 2
    for lf, cast in enumerate(patterns.T):
        joined = np.flatnonzero(several & (cast >= 0))
        sure = float((top - rest)[joined] @ counts[joined])
        given = float((posterior[joined, cast[joined]] - rest[joined]) @ counts[joined])
        share = min(max(given / sure, 0.0), 1.0) if sure > 0 else PRIOR_ACCURACY
        overlaps = float(counts[joined].sum())
        accuracy[lf] = (share * overlaps + PRIOR_OVERLAPS * PRIOR_ACCURACY) / (
            overlaps + PRIOR_OVERLAPS
        )
    return accuracy
