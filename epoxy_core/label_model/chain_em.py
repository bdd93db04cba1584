"""The steps of EM for a chain of classes under votes that persist."""

from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.abstention import detectors
from epoxy_core.label_model.anchors import kinds_cast, pseudo_votes, silence_pseudo_votes
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.forward_backward import ChainPosterior, forward_backward
from epoxy_core.label_model.ordered_votes import Flags, OrderedVotes
from epoxy_core.label_model.unique_votes import UniqueVotes

_BALANCING_SWEEPS = 1000
_EXACT = 1e-12


class ChainParameters(NamedTuple):
    """What is learned of a chain.

    Attributes
    ----------
    given
        float64 [m, S + 1, K], P(symbol | class); 1 where a symbol is never looked up.
    persistence
        float64 [m].
    transition
        float64 [K, K].
    """

    given: Floats
    persistence: Floats
    transition: Floats

    def distance(self, other: Self) -> float:
        """How far the most different probability is from the other's."""
        return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(self, other, strict=True))


class ChainEM:
    """Pseudo-counts, and the steps.

    Parameters
    ----------
    unique
        Votes to learn from.
    speaks
        bool [m], LFs whose silence is a symbol. Others that cast one symbol only are held as they
        are at the start, without persistence: they repeat their vote whenever they vote again,
        and one class for everything would explain it best.
    prior
        float64 [K], held in the long run.
    pseudo_count, diagonal_count
        See `pseudo_votes`.
    pseudo_moves
        float64 [K, K], pseudo-counts of transitions.
    """

    def __init__(
        self,
        unique: UniqueVotes,
        speaks: Flags,
        prior: Floats,
        pseudo_count: float,
        diagonal_count: float,
        pseudo_moves: Floats,
    ) -> None:
        plain = replace(unique, strength=None)
        used = kinds_cast(plain.symbol_counts, unique.n_classes)
        votes = pseudo_votes(used, unique.n_classes, pseudo_count, diagonal_count)
        silence = silence_pseudo_votes(unique, speaks, votes)
        self._held = detectors(unique) & ~speaks
        self.used = np.concatenate([used, speaks[:, None]], axis=1)
        self._anchor = np.concatenate([votes, silence[:, None]], axis=1)
        self._prior = prior
        self._pseudo_moves = pseudo_moves

    def start(self, items: OrderedVotes, posterior: Floats, confusion: Floats) -> ChainParameters:
        """From what is known without the order.

        Parameters
        ----------
        items
            The items.
        posterior
            float64 [n, K], theirs in time order.
        confusion
            float64 [m, S, K], that of the LFs.
        """
        given = self._given(items.tally(posterior).sum(axis=1))
        known = np.where(self.used[:, :-1, None], confusion, 1)
        given[self._held, :-1] = known[self._held]
        moves = self._pseudo_moves / self._prior[:, None]
        return ChainParameters(given, np.where(self._held, 0, 0.5), moves)

    def run(
        self, items: OrderedVotes, start: ChainParameters, tolerance: float, most: int
    ) -> tuple[ChainParameters, int, bool]:
        """Step until nothing moves by more than the tolerance: parameters, steps, whether so."""
        parameters = start
        for step in range(1, most + 1):
            before, parameters = parameters, self._step(items, parameters)
            if parameters.distance(before) <= tolerance:
                return parameters, step, True
        return parameters, most, False

    def _step(self, items: OrderedVotes, parameters: ChainParameters) -> ChainParameters:
        posterior = chain_posterior(items, parameters, self._prior)
        follow = items.tally(posterior.stayed)
        rate = parameters.persistence[:, None, None]
        kept = follow[:, 2] * rate / (rate + (1 - rate) * parameters.given)
        tries = follow[:, 1:].sum(axis=(1, 2, 3))
        persistence = np.where(self._held, 0, (kept.sum(axis=(1, 2)) + 1) / (tries + 2))
        given = self._given(items.tally(posterior.marginal).sum(axis=1) - kept)
        given[self._held] = parameters.given[self._held]
        flow = posterior.moves + np.diag(posterior.stayed.sum(axis=0)) + self._pseudo_moves
        return ChainParameters(
            given, persistence, _balanced(flow, self._prior) / self._prior[:, None]
        )

    def _given(self, fresh: Floats) -> Floats:
        """P(symbol | class) from votes that were not repeated."""
        given = fresh + self._anchor
        given /= given.sum(axis=1, keepdims=True)
        given[~self.used] = 1
        return np.asarray(given)


def chain_posterior(
    items: OrderedVotes, parameters: ChainParameters, prior: npt.NDArray[np.float64]
) -> ChainPosterior:
    """What the votes say of the classes."""
    given, rate, transition = parameters
    afresh = (1 - rate[:, None, None]) * given
    repeated = afresh + rate[:, None, None]
    stayed = np.stack([given, afresh, repeated], axis=1).reshape(-1, len(prior))
    changed = np.stack([given, given, given], axis=1).reshape(-1, len(prior))
    return forward_backward(
        items.cast @ np.log(changed),
        items.cast @ np.log(stayed),
        items.inverse,
        items.starts,
        prior,
        transition,
    )


def mean_by_row(unique: UniqueVotes, posterior: Floats) -> Floats:
    """Mean posterior of the items [n, K] of each distinct row, float64 [p, K]."""
    p = len(unique.counts)
    sums = [np.bincount(unique.inverse, column, minlength=p) for column in posterior.T]
    return np.asarray(np.stack(sums, axis=1) / unique.counts[:, None])


def _balanced(flow: Floats, balance: Floats) -> Floats:
    """Scale rows and columns until both sum to the class balance (Sinkhorn)."""
    for _ in range(_BALANCING_SWEEPS):
        flow = flow * (balance / flow.sum(axis=0))
        rows = balance / flow.sum(axis=1)
        flow = flow * rows[:, None]
        if np.abs(rows - 1).max() < _EXACT:
            break
    return flow
