"""Dawid–Skene by EM, anchored so that it stays near the votes."""

from collections.abc import Sequence
from typing import Literal, Self, get_args

import numpy as np

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import abstention as deciding
from epoxy_core.label_model import class_balance as balancing
from epoxy_core.label_model.abstention import Abstention, CoVoting
from epoxy_core.label_model.base import (
    Floats,
    Strength,
    Votes,
    class_prior,
)
from epoxy_core.label_model.dependencies import Dependencies, dependence, weights
from epoxy_core.label_model.em import AnchoredEM
from epoxy_core.label_model.fitted import Fitted
from epoxy_core.label_model.lf_accuracy import accuracy_beside_others
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes

AbstentionSetting = Literal["ignored", "informative", "auto"]

_ROUNDS = 2


class DawidSkene:
    """A confusion matrix per LF (Dawid & Skene 1979), over the votes that were cast.

    EM starts from each item's vote shares. Two anchors keep it from drifting to a relabelling of
    the classes or to one class only: pseudo-counts, more on the diagonal, and a class balance
    that is held. The E-step runs over unique vote patterns.

    Of LFs that vote one symbol only, P(vote | class) is learned, not P(vote | class, voted): given
    that such an LF votes, its vote is the same for every class. Its silence may count or not. It
    should where LFs vote independently given the class. Real keyword LFs often do not (a long
    text triggers many, whatever its class), and then a model that takes silence for evidence
    makes classes of long and short texts. So ``"auto"`` fits it, and believes it only if its
    classes explain .9 of how often these LFs vote on the same items beyond chance
    (`CoVoting.explained`), and it leaves unanimous votes alone. Where it is believed and no class
    balance is given, that is learned, too: then, and only then, votes tell it well.

    LFs that vote alike within the classes, as copies do, would be counted several times: each
    LF's evidence is weighted by one over its design effect, 1 + the sum of its correlations
    (`dependence`), and the model is fitted again, twice. Only then it is asked whether silence
    counts: copies vote together for no class's sake.

    Where no class balance is given, it is learned as far as the votes tell it (`class_balance`),
    and then held.

    Votes against a class are symbols of their own. The pseudo-votes of an LF that casts them are
    those of one that knows as often as the other: 20 of K + 20 are true, spread over the K−1 true
    statements, and one is on each symbol. An LF that casts votes of both kinds has half of each
    kind's. A soft vote is a fractional vote for several symbols.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K]; None: not known, and taken to be uniform unless they can be
        learned.
    abstention
        Whether silence counts: ``"ignored"``, ``"informative"`` for LFs that vote one symbol
        only, or ``"auto"``.
    dependencies
        Pairs of LFs that may depend on one another, by number; ``"auto"``: found from their
        votes; None: none.
    pseudo_count
        Added to every cell of every confusion matrix.
    diagonal_count
        Added to the diagonal as well; for votes against a class, to the K−1 true ones together.
    tolerance
        EM stops when no learned probability moves by more.
    max_iterations
        EM stops at the latest after as many.

    Attributes
    ----------
    class_balance_
        float64 [K], as given, uniform or learned.
    confusion_
        float64 [m, S, K], P(vote v | class k, LF did not abstain) at [LF, v, k]; zero for a kind
        of vote (for or against a class) that the LF never cast.
    coverage_
        float64 [m, K], P(LF votes | class k); the same for every k for LFs that vote several
        symbols.
    evidence_
        float64 [m, S, K], the logarithm of P(vote v | class k), weighted; zero for a kind that
        the LF never cast.
    silence_
        float64 [m, K], the logarithm of 1 − coverage, weighted; zero where silence does not count.
    balance_reason_
        Why the class balance is believed to be other than given or uniform; empty if it is not.
    abstention_
        Whether silence counts, and why.
    dependence_
        float64 [m, m], correlations within the classes that were counted.
    weights_
        float64 [m], by how much an LF's evidence counts for what others say alike.
    accuracy_
        float64 [m], mean posterior of what an LF's votes say, over items that other LFs vote on;
        shrunk to 0.7 (votes against a class: to what knows as much beyond chance) by 30
        pseudo-votes.
    converged_
        Whether the tolerance was met.
    n_iterations_
        EM steps made, of the last fit.
    """

    def __init__(
        self,
        n_classes: int,
        class_balance: Sequence[float] | None = None,
        *,
        abstention: AbstentionSetting = "auto",
        dependencies: Dependencies = "auto",
        pseudo_count: float = 1.0,
        diagonal_count: float = 20.0,
        tolerance: float = 1e-5,
        max_iterations: int = 200,
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.abstention = abstention
        self.dependencies = dependencies
        self.pseudo_count = pseudo_count
        self.diagonal_count = diagonal_count
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """See `LabelModel.fit`."""
        return self.fit_unique(unique_votes(votes, strength, self.n_classes))

    def fit_unique(self, unique: UniqueVotes) -> Self:
        """See `LabelModel.fit_unique`.

        Raises
        ------
        EpoxyError
            If a setting is none, or a pair of dependencies is no pair of LFs.
        """
        self.abstention_, found = self._choose_abstention(unique)
        self._publish(unique, found)
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """See `LabelModel.predict_proba`."""
        unique = unique_votes(votes, strength, self.n_classes)
        return self.predict_unique(unique)[unique.inverse]

    def predict_unique(self, unique: UniqueVotes) -> Floats:
        """See `LabelModel.predict_unique`."""
        start = np.log(self.class_balance_)
        return unique.probabilities(self.evidence_, self.silence_, start)

    def _choose_abstention(self, unique: UniqueVotes) -> tuple[Abstention, Fitted]:
        if self.abstention not in get_args(AbstentionSetting):
            raise EpoxyError(
                f"no such treatment of abstentions: {self.abstention!r}",
                where="DawidSkene",
                remedy=f"Choose one of {', '.join(get_args(AbstentionSetting))}.",
            )
        co_voting = CoVoting(unique)
        decided: Abstention | None
        if self.abstention == "auto":
            decided = deciding.without_fit(co_voting)
        else:
            decided = Abstention(self.abstention == "informative", float("nan"), "As set.")
        learns, self.balance_reason_ = self.class_balance is None, ""
        if decided is None or decided.informative:
            em, found = self._fit_dependent(unique, informative=True)
            clean = balancing.with_silence(em, found, self.dependence_, learn_balance=learns)
            decided = decided or deciding.after_fit(
                co_voting, clean.posterior, found.posterior, self.dependence_
            )
            if decided.informative:
                reason = balancing.WHERE_SILENCE_COUNTS
                return decided, self._holding(clean.balance, reason, em, found)
        em, found = self._fit_dependent(unique, informative=False)
        if learns:
            shares = balancing.without_silence(em, found, self.dependence_)
            found = self._holding(shares, balancing.WHERE_IT_DOES_NOT, em, found)
        return decided, found

    def _fit_dependent(
        self, unique: UniqueVotes, *, informative: bool
    ) -> tuple[AnchoredEM, Fitted]:
        """Fit; find which LFs vote alike, weigh them for it, fit again."""
        prior = class_prior(self.n_classes, self.class_balance)
        counts = self.pseudo_count, self.diagonal_count
        em = AnchoredEM(unique, prior, *counts, informative=informative)
        m = unique.patterns.shape[1]
        self.weights_, self.dependence_ = np.ones(m), np.zeros((m, m))
        found = em.fit(*self._settings())
        for _ in range(_ROUNDS):
            self.dependence_ = dependence(unique, found.posterior, self.dependencies)
            if not self.dependence_.any():
                break
            self.weights_ = weights(self.dependence_)
            found = em.fit(*self._settings())
        return em, found

    def _holding(self, shares: Floats, reason: str, em: AnchoredEM, found: Fitted) -> Fitted:
        """Go on with another class balance, if it is another."""
        if (shares == found.balance).all():
            return found
        self.balance_reason_ = reason
        other = em.holding(shares)
        return other.fit_near(found.posterior, *self._settings(), learn_balance=False)

    def _settings(self) -> tuple[Floats, float, int]:
        return self.weights_, self.tolerance, self.max_iterations

    def _publish(self, unique: UniqueVotes, found: Fitted) -> None:
        self.confusion_ = found.given / found.given.sum(axis=1, keepdims=True)
        overall = unique.counts @ (unique.patterns >= 0) / max(unique.counts.sum(), 1)
        self.coverage_ = np.where(found.quiet > 0, 1 - found.quiet, overall[:, None])
        self.class_balance_ = found.balance
        self.evidence_, self.silence_ = found.evidence, found.silence
        self.n_iterations_, self.converged_ = found.n_iterations, found.converged
        self.accuracy_ = accuracy_beside_others(unique, found.posterior)
