"""Dawid–Skene by EM, anchored so that it stays near the votes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import (
    PRIOR_OVERLAPS,
    Floats,
    Strength,
    Votes,
    class_prior,
    softmax,
)
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.labeling import allowed


class DawidSkene:
    """A confusion matrix per LF (Dawid & Skene 1979), over the votes that were cast.

    EM starts from each item's vote shares. Two anchors keep it from drifting to a relabelling of
    the classes or to one class only: pseudo-counts, more on the diagonal, and a class balance
    that is never learned. Abstaining is taken to say nothing about the class. The E-step runs
    over unique vote patterns.

    Votes against a class are symbols of their own. The pseudo-votes of an LF that casts them are
    those of one that knows as often as the other: 20 of K + 20 are true, spread over the K−1 true
    statements, and one is on each symbol. An LF that casts votes of both kinds has half of each
    kind's. A soft vote is a fractional vote for several symbols.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.
    pseudo_count
        Added to every cell of every confusion matrix.
    diagonal_count
        Added to the diagonal as well; for votes against a class, to the K−1 true ones together.
    tolerance
        EM stops when no confusion probability moves by more.
    max_iterations
        EM stops at the latest after as many.

    Attributes
    ----------
    confusion_
        float64 [m, S, K], P(vote v | class k, LF did not abstain) at [LF, v, k]; zero for a kind
        of vote (for or against a class) that the LF never cast.
    evidence_
        float64 [m, S, K], its logarithm; zero for a kind that the LF never cast.
    accuracy_
        float64 [m], share of an LF's votes that are true of the item's most probable class,
        weighted by how sure the posterior is, over items that other LFs vote on; shrunk to 0.7
        (votes against a class: to what knows as much beyond chance) by 30 pseudo-votes. It takes
        the most probable class for the truth and so is some points high. The mean posterior of
        the votes would not be if the posterior were calibrated, but LFs that vote one class only
        make that far too flat.
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

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """See `LabelModel.fit`."""
        k = self.n_classes
        prior = class_prior(k, self.class_balance)
        unique = unique_votes(votes, strength, k)
        cast = unique.cast(unique.n_symbols)
        used = _symbols_used(cast, unique.n_symbols, k)
        anchor = self._anchor(used)

        tally = unique.tally()
        joined = (unique.patterns >= 0).any(axis=1)
        posterior = np.tile(prior, (len(tally), 1))
        posterior[joined] = tally[joined] / tally[joined].sum(axis=1, keepdims=True)
        self.confusion_ = _m_step(cast, posterior, unique.counts, anchor)
        self.converged_ = False
        self.n_iterations_ = 0
        while not self.converged_ and self.n_iterations_ < self.max_iterations:
            self.n_iterations_ += 1
            posterior = _e_step(cast, _logarithm(self.confusion_, used), prior)
            confusion = _m_step(cast, posterior, unique.counts, anchor)
            moved = np.abs(confusion - self.confusion_).max(initial=0)
            self.converged_ = bool(moved <= self.tolerance)
            self.confusion_ = confusion
        self.evidence_ = _logarithm(self.confusion_, used)
        self.accuracy_ = _accuracy(unique, _e_step(cast, self.evidence_, prior))
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """See `LabelModel.predict_proba`."""
        unique = unique_votes(votes, strength, self.n_classes)
        prior = class_prior(self.n_classes, self.class_balance)
        cast = unique.cast(self.evidence_.shape[1])
        return _e_step(cast, self.evidence_, prior)[unique.inverse]

    def _anchor(self, used: npt.NDArray[np.bool_]) -> Floats:
        """Pseudo-votes, float64 [m, S, K], of the kinds that each LF casts."""
        true = allowed(self.n_classes)[: used.shape[1]].astype(np.float64)
        true[self.n_classes :] /= self.n_classes - 1
        kinds = used.sum(axis=1) / self.n_classes
        share = used / kinds[:, None]
        return np.asarray(share[:, :, None] * (self.pseudo_count + self.diagonal_count * true))


def _symbols_used(cast: Any, n_symbols: int, k: int) -> npt.NDArray[np.bool_]:
    """Whether an LF casts votes of the symbol's kind, bool [m, S]; if none at all, for classes."""
    kinds = np.asarray(cast.sum(axis=0)).reshape(-1, n_symbols // k, k).sum(axis=2) > 0
    kinds[:, 0] |= ~kinds.any(axis=1)
    return np.repeat(kinds, k, axis=1)


def _m_step(cast: Any, posterior: Floats, counts: npt.NDArray[np.int64], anchor: Floats) -> Floats:
    seen = np.asarray(cast.T @ (posterior * counts[:, None])).reshape(anchor.shape) + anchor
    return np.asarray(seen / seen.sum(axis=1, keepdims=True))


def _logarithm(confusion: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    return np.log(confusion, out=np.zeros_like(confusion), where=used[:, :, None])


def _e_step(cast: Any, evidence: Floats, prior: Floats) -> Floats:
    return softmax(np.log(prior) + cast @ evidence.reshape(-1, len(prior)))


def _accuracy(unique: UniqueVotes, posterior: Floats) -> Floats:
    patterns, counts, k = unique.patterns, unique.counts, unique.n_classes
    accuracy = unique.prior_accuracy()
    top = posterior.max(axis=1)
    rest = (1 - top) / (k - 1)
    several = (patterns >= 0).sum(axis=1) >= 2
    for lf, cast in enumerate(patterns.T):
        joined = np.flatnonzero(several & (cast >= 0))
        sure = float((top - rest)[joined] @ counts[joined])
        named = posterior[joined, cast[joined] % k]
        right = np.where(cast[joined] < k, named - rest[joined], top[joined] - named)
        given = float(right @ counts[joined])
        share = min(max(given / sure, 0.0), 1.0) if sure > 0 else accuracy[lf]
        overlaps = float(counts[joined].sum())
        accuracy[lf] = (share * overlaps + PRIOR_OVERLAPS * accuracy[lf]) / (
            overlaps + PRIOR_OVERLAPS
        )
    return accuracy
