"""EM for one confusion matrix per LF, anchored by pseudo-votes, over distinct rows of votes."""

from copy import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.abstention import detectors
from epoxy_core.label_model.anchors import (
    kinds_cast,
    logarithm,
    pseudo_votes,
    silence_pseudo_votes,
)
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.fitted import Fitted
from epoxy_core.label_model.squarem import squarem
from epoxy_core.label_model.unique_votes import UniqueVotes

LEAST_SHARE = 0.1
_BALANCE_COUNT = 20.0
_PER_VOTE = 2.0

Flags = npt.NDArray[np.bool_]


class AnchoredEM:
    """Votes, ready for EM.

    Of detectors (LFs that vote one symbol only) the model is P(vote | class), of the others
    P(vote | class, voted).

    Parameters
    ----------
    unique
        The votes.
    balance
        float64 [K], the class balance.
    pseudo_count, diagonal_count
        See `pseudo_votes`.
    informative
        Whether the silence of detectors is evidence. If not, a detector has at least twice as many
        pseudo-votes as votes: a vote without its counterpart, silence, only ever confirms what is
        there, and EM would run away with what LFs have in common besides the class. (On real and
        made-up sets 1 to 8 times does as well; 1 lets groups of LFs outvote the rest.)
    """

    def __init__(
        self,
        unique: UniqueVotes,
        balance: Floats,
        pseudo_count: float,
        diagonal_count: float,
        *,
        informative: bool,
    ) -> None:
        self.unique = unique
        self._balance = balance
        self._counts = pseudo_count, diagonal_count
        self._informative = informative
        self._used = kinds_cast(unique.symbol_counts, unique.n_classes)
        speaks = detectors(unique)
        shown = unique.symbol_counts
        self._counted = np.where(speaks[:, None], shown > 0, self._used)[:, :, None]
        anchor = pseudo_votes(self._used, unique.n_classes, pseudo_count, diagonal_count)
        if not informative:
            least = _PER_VOTE * shown.sum(axis=1) / anchor[:, :, 0].sum(axis=1)
            anchor = anchor * np.where(speaks, np.maximum(least, 1), 1)[:, None, None]
        self._anchor = anchor
        self._speaks = speaks.astype(np.float64)[:, None]
        self._silence_anchor = silence_pseudo_votes(unique, speaks, anchor)

    def on(self, unique: UniqueVotes) -> Self:
        """The same, for other votes of the same LFs."""
        return type(self)(unique, self._balance, *self._counts, informative=self._informative)

    def holding(self, balance: Floats) -> Self:
        """The same, with another class balance, float64 [K]."""
        other = copy(self)
        other._balance = balance
        return other

    def fit(self, weights: Floats, tolerance: float, max_iterations: int) -> Fitted:
        """Run EM from each item's vote shares.

        Parameters
        ----------
        weights
            float64 [m], by how much each LF's evidence counts.
        tolerance
            EM stops when no probability moves by more.
        max_iterations
            EM stops at the latest after as many.
        """
        balance = self._balance
        tally = self.unique.tally(weights)
        total = tally.sum(axis=1, keepdims=True)
        start = np.where(total > 0, tally / np.maximum(total, 1e-9), balance)
        given, quiet = self._m_step(start)
        steps, converged = 0, False
        while not converged and steps < max_iterations:
            steps += 1
            before = given, quiet
            given, quiet = self._m_step(self._posterior(given, quiet, balance, weights))
            moved = max(
                np.abs(new - old).max(initial=0)
                for new, old in zip((given, quiet), before, strict=True)
            )
            converged = bool(moved <= tolerance)
        return self._fitted(given, quiet, balance, weights, steps, converged)

    def fit_near(
        self,
        start: Floats,
        weights: Floats,
        tolerance: float,
        max_iterations: int,
        *,
        learn_balance: bool,
    ) -> Fitted:
        """Run EM, in fewer steps, from the posterior of a fit that is near (`squarem`).

        Parameters
        ----------
        start
            float64 [p, K].
        weights, tolerance, max_iterations
            See `fit`.
        learn_balance
            Whether the class balance is learned, too: with 20 pseudo-items of the one that is
            held, and every share at least a tenth of 1/K, so that no class dies out.
        """

        def balance(posterior: Floats) -> Floats:
            return self._learned_balance(posterior) if learn_balance else self._balance

        def step(now: tuple[Floats, ...]) -> tuple[Floats, ...]:
            given, quiet, shares = now
            posterior = self._posterior(given, quiet, shares, weights)
            return (*self._m_step(posterior), balance(posterior))

        first = (*self._m_step(start), balance(start))
        (given, quiet, shares), steps, converged = squarem(step, first, tolerance, max_iterations)
        return self._fitted(given, quiet, shares, weights, steps, converged)

    def _m_step(self, posterior: Floats) -> tuple[Floats, Floats]:
        cast, silent = self.unique.by_class(posterior)
        seen = cast + self._anchor
        quiet = self._silence_anchor + self._speaks * silent
        total = (seen * self._counted).sum(axis=1) + quiet
        return seen / total[:, None], quiet / total

    def _learned_balance(self, posterior: Floats) -> Floats:
        shares = self.unique.counts @ posterior + _BALANCE_COUNT * self._balance
        shares = np.maximum(shares / shares.sum(), LEAST_SHARE / len(shares))
        return np.asarray(shares / shares.sum())

    def _weighted(self, given: Floats, quiet: Floats, weights: Floats) -> tuple[Floats, Floats]:
        silence = np.zeros_like(quiet)
        if self._informative:
            np.log(quiet, out=silence, where=quiet > 0)
        return weights[:, None, None] * logarithm(given, self._used), weights[:, None] * silence

    def _posterior(self, given: Floats, quiet: Floats, balance: Floats, weights: Floats) -> Floats:
        return self._e_step(*self._weighted(given, quiet, weights), balance)

    def _e_step(self, evidence: Floats, silence: Floats, balance: Floats) -> Floats:
        return self.unique.probabilities(evidence, silence, np.log(balance))

    def _fitted(
        self,
        given: Floats,
        quiet: Floats,
        balance: Floats,
        weights: Floats,
        steps: int,
        converged: bool,
    ) -> Fitted:
        evidence, silence = self._weighted(given, quiet, weights)
        posterior = self._e_step(evidence, silence, balance)
        return Fitted(given, quiet, evidence, silence, balance, posterior, steps, converged)
