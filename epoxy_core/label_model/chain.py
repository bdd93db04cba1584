"""Label model of ordered items: video frames, turns of a conversation."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from epoxy_core.label_model.abstention import (
    Abstention,
    CoVoting,
    after_fit,
    detectors,
    without_fit,
)
from epoxy_core.label_model.base import Floats, Strength, Votes, class_prior
from epoxy_core.label_model.chain_em import (
    ChainEM,
    ChainParameters,
    chain_posterior,
    mean_by_row,
)
from epoxy_core.label_model.dawid_skene import AbstentionSetting, DawidSkene
from epoxy_core.label_model.figures import Figures
from epoxy_core.label_model.forward_backward import ChainPosterior
from epoxy_core.label_model.ordered_votes import Flags, Ids, OrderedVotes, order_votes
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes

_WARM_UP = 100_000


class TemporalChain:
    """A hidden Markov chain of classes under labeling functions (LFs) whose votes persist.

    An item's class depends on the class of the item before it in its sequence. An LF votes by its
    confusion matrix (Dawid & Skene 1979); but where the class stays and the LF votes on both
    items, it repeats its vote, right or wrong, with a probability of its own, its persistence (an
    autoregressive hidden Markov model). LFs err on neighbouring frames together: without
    persistence the posterior would be sure of what one error said ten times. A repeated vote of a
    persistent LF says little; one that changes says as much as a first.

    Confusion matrices, persistence and transitions are learned by EM (Baum–Welch) from vote
    shares, anchored by pseudo-counts. The E-step is exact and linear in the number of items.
    With one item per sequence this is Dawid–Skene with the class balance held.

    Abstaining says nothing about the class, unless an LF only ever casts one symbol. As in
    `DawidSkene`, the silence of such detectors counts if the classes explain how often they vote
    together. Otherwise they keep the confusion matrix they have without the order, and do not
    persist: they repeat their vote whenever they vote again.

    A soft vote counts by the share beyond chance that it claims, as in `Triplets`.

    Parameters
    ----------
    n_classes
        K.
    class_balance
        The classes' shares, [K], of a sequence's first item and in the long run; uniform when
        none is given. Transitions are learned under them. Learned shares (tried on synthetic
        chains) gain up to .03 of accuracy, and cost .3 where EM lets a rare class die out.
    abstention
        Whether the silence of detectors counts: ``"ignored"``, ``"informative"``, ``"auto"``.
    pseudo_count, diagonal_count
        Added to every cell of every confusion matrix; and to what is true of the class as well.
    stay, stay_count
        Prior P(class stays), beyond what chance gives; how many transitions that is worth.
    tolerance, max_iterations
        EM stops when no learned probability moves by more; at the latest after as many steps.

    Attributes
    ----------
    confusion_, coverage_
        float64 [m, S, K], P(vote v | class k, LF did not abstain) at [LF, v, k]; float64 [m, K],
        P(LF votes | class k), the same for every k where abstaining says nothing.
    detectors_, abstention_
        bool [m], LFs whose silence counts; and why.
    given_
        float64 [m, S + 1, K], P(symbol | class); the last is a detector's silence. 1 where a
        symbol is never looked up.
    persistence_
        float64 [m], P(a vote is repeated | class stays, LF votes on both items) beyond chance.
    transition_
        float64 [K, K], P(class after | class before) at [before, after].
    evidence_
        float64 [m, S, K], what LF j's vote v adds to class k's log-probability at [j, v, k] when
        it follows no vote of its own.
    silence_
        float64 [m, K], what a detector's silence adds when it follows none.
    accuracy_
        float64 [m], mean posterior of what the LF's votes say, shrunk by 30 pseudo-votes.
    converged_, n_iterations_
        Whether the tolerance was met; EM steps made over all items.
    """

    def __init__(
        self,
        n_classes: int,
        class_balance: Sequence[float] | None = None,
        *,
        abstention: AbstentionSetting = "auto",
        pseudo_count: float = 1.0,
        diagonal_count: float = 20.0,
        stay: float = 0.9,
        stay_count: float = 20.0,
        tolerance: float = 1e-3,
        max_iterations: int = 100,
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.abstention = abstention
        self.pseudo_count = pseudo_count
        self.diagonal_count = diagonal_count
        self.stay = stay
        self.stay_count = stay_count
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, votes: Votes, sequences: Ids, strength: Strength | None = None) -> Self:
        """Learn from votes of ordered items.

        Parameters
        ----------
        votes
            int8 [n, m], −1 = abstain.
        sequences
            int [n], the sequence of each item. A sequence's items are in time order; those of
            others may lie between them.
        strength
            float32 [n, m], the votes' own probabilities; None where no vote is soft.

        Raises
        ------
        EpoxyError
            If a vote is no symbol, or there is not one sequence per item.
        """
        prior = class_prior(self.n_classes, self.class_balance)
        unique = unique_votes(votes, strength, self.n_classes)
        single, co_voting = detectors(unique), CoVoting(unique)
        decided = without_fit(co_voting)
        if self.abstention != "auto":
            decided = Abstention(self.abstention == "informative", float("nan"), "As set.")
        informative = decided is None or decided.informative
        marginal = self._learn(unique, sequences, single & informative, prior)
        if decided is None:
            independent = np.zeros((len(single), len(single)))
            by_row = mean_by_row(unique, marginal)
            decided = after_fit(co_voting, by_row, by_row, independent)
            if not decided.informative:
                marginal = self._learn(unique, sequences, np.zeros_like(single), prior)
        self.abstention_ = decided
        self.accuracy_ = Figures(unique).hear(marginal).accuracy[0]
        return self

    def predict_proba(
        self, votes: Votes, sequences: Ids, strength: Strength | None = None
    ) -> Floats:
        """float64 [n, K], given all votes of an item's sequence; rows sum to 1. See `fit`."""
        return self._marginal(self._ordered(votes, sequences, strength))

    def log_likelihood(
        self, votes: Votes, sequences: Ids, strength: Strength | None = None
    ) -> float:
        """Log-probability of votes. On held-out ones it compares settings without labels."""
        return self._posterior(self._ordered(votes, sequences, strength)).log_likelihood

    def _learn(self, unique: UniqueVotes, sequences: Ids, speaks: Flags, prior: Floats) -> Floats:
        """Run EM; give the posterior of the items."""
        self.detectors_ = speaks
        sticky = self.stay * np.eye(len(prior)) + (1 - self.stay) * prior
        moves = self.stay_count * prior[:, None] * sticky
        em = ChainEM(unique, speaks, prior, self.pseudo_count, self.diagonal_count, moves)
        items = order_votes(unique, sequences, speaks, unique.n_symbols)
        static = DawidSkene(self.n_classes, prior.tolist(), abstention="ignored")
        known = static.fit_unique(unique).predict_unique(unique)[unique.inverse[items.order]]
        found = em.start(items, known, static.confusion_)._replace(transition=sticky)
        if len(unique.inverse) > _WARM_UP:
            found, _, _ = em.run(items.head(_WARM_UP), found, self.tolerance, self.max_iterations)
        found, self.n_iterations_, self.converged_ = em.run(
            items, found, self.tolerance, self.max_iterations
        )
        self.given_, self.persistence_, self.transition_ = found
        joint = np.where(em.used[:, :-1, None], self.given_[:, :-1], 0)
        share = joint.sum(axis=1)
        self.confusion_ = joint / share[:, None]
        voted = unique.counts @ (unique.patterns >= 0) / max(unique.counts.sum(), 1)
        self.coverage_ = np.where(speaks[:, None], share, voted[:, None])
        self.evidence_ = np.log(self.given_[:, :-1])
        self.silence_ = np.log(self.given_[:, -1])
        return self._marginal(items)

    def _ordered(self, votes: Votes, sequences: Ids, strength: Strength | None) -> OrderedVotes:
        unique = unique_votes(votes, strength, self.n_classes)
        return order_votes(unique, sequences, self.detectors_, self.given_.shape[1] - 1)

    def _posterior(self, items: OrderedVotes) -> ChainPosterior:
        learned = ChainParameters(self.given_, self.persistence_, self.transition_)
        return chain_posterior(items, learned, class_prior(self.n_classes, self.class_balance))

    def _marginal(self, items: OrderedVotes) -> Floats:
        posterior = np.empty((len(items.order), self.n_classes))
        posterior[items.order] = self._posterior(items).marginal
        return posterior
