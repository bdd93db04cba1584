"""Dawid–Skene by EM in many variants at once: other items, one LF less, another balance."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.anchors import kinds_cast, pseudo_votes, silence_pseudo_votes
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.unique_votes import UniqueVotes

_PSEUDO_COUNT = 1.0
_DIAGONAL_COUNT = 20.0
_BALANCE_COUNT = 20.0
_LEAST_SHARE = 0.2


class Variants(NamedTuple):
    """R settings of the model, fitted side by side on the same vote patterns.

    Attributes
    ----------
    counts
        float32 [p, R], how often each pattern occurs.
    without
        int [R], the LF that is left out, −1 = none.
    learns
        bool [R], whether the class balance is learned; each share is then at least a fifth of
        1/K, so that no class dies out.
    given
        float64 [m, S + 1, K, R], P(symbol | class). The last symbol is silence, of the LFs whose
        silence counts.
    balance
        float64 [K, R].
    """

    counts: npt.NDArray[np.float32]
    without: npt.NDArray[np.intp]
    learns: npt.NDArray[np.bool_]
    given: Floats
    balance: Floats

    def take(self, chosen: npt.NDArray[np.intp]) -> Self:
        """Copies of the variants of these numbers."""
        counts, without, learns, given, balance = self
        return type(self)(
            counts[:, chosen],
            without[chosen],
            learns[chosen],
            given[..., chosen],
            balance[:, chosen],
        )


class VariantEM:
    """The items on which variants are fitted.

    Parameters
    ----------
    unique
        Their votes, taken as plain.
    n_symbols
        S, at least as many as in these votes.
    speaks
        bool [m], the LFs whose silence is a symbol.
    balance
        float64 [K], from which class shares start.
    """

    def __init__(
        self, unique: UniqueVotes, n_symbols: int, speaks: npt.NDArray[np.bool_], balance: Floats
    ) -> None:
        p, m = unique.patterns.shape
        self.n_classes = len(balance)
        self.counts = unique.counts.astype(np.float32)
        self._start = balance
        tally = unique.tally()
        total = tally.sum(axis=1, keepdims=True)
        self._shares = np.where(total > 0, tally / np.maximum(total, 1e-9), balance)
        cast = unique.cast(n_symbols)
        self._cast = np.zeros((p, m, n_symbols + 1), dtype=np.float32)
        self._cast[:, :, :n_symbols] = cast.toarray().reshape(p, m, n_symbols)
        rows, lfs = np.nonzero((unique.patterns < 0) & speaks)
        self._cast[rows, lfs, n_symbols] = 1
        used = kinds_cast(self._cast[:, :, :n_symbols].sum(axis=0), self.n_classes)
        self._anchor = np.zeros((m, n_symbols + 1, self.n_classes, 1))
        self._anchor[:, :n_symbols, :, 0] = pseudo_votes(
            used, self.n_classes, _PSEUDO_COUNT, _DIAGONAL_COUNT
        )
        votes = self._anchor[:, :n_symbols, :, 0]
        self._anchor[:, n_symbols, :, 0] = silence_pseudo_votes(unique, speaks, votes)
        self._unused = np.concatenate([~used, ~speaks[:, None]], axis=1)

    def start(self, learns: npt.NDArray[np.bool_]) -> Variants:
        """Variants from the shares of each item's votes."""
        r = len(learns)
        counts = np.tile(self.counts[:, None], r)
        posterior = np.tile(self._shares[:, :, None], r)
        given = self._normalised(self._tally(posterior, counts))
        return Variants(counts, np.full(r, -1), learns, given, np.tile(self._start[:, None], r))

    def step(self, variants: Variants, steps: int) -> Variants:
        """Make EM steps."""
        least = _LEAST_SHARE / self.n_classes
        for _ in range(steps):
            posterior = self.posterior(variants)
            given = self._normalised(self._tally(posterior, variants.counts))
            shares = np.einsum("pkr,pr->kr", posterior, variants.counts)
            shares += _BALANCE_COUNT * self._start[:, None]
            shares /= shares.sum(axis=0)
            shares = np.maximum(shares, least)
            shares /= shares.sum(axis=0)
            balance = np.where(variants.learns, shares, variants.balance)
            variants = variants._replace(given=given, balance=balance)
        return variants

    def posterior(self, variants: Variants) -> npt.NDArray[np.float32]:
        """P(class | pattern) by each variant, float32 [p, K, R]."""
        p, r = variants.counts.shape
        evidence = np.log(variants.given)
        left_out = np.flatnonzero(variants.without >= 0)
        evidence[variants.without[left_out], :, :, left_out] = 0
        table = evidence.reshape(-1, self.n_classes * r).astype(np.float32)
        odds: npt.NDArray[np.float32] = (self._cast.reshape(p, -1) @ table).reshape(p, -1, r)
        odds += np.log(variants.balance).astype(np.float32)
        odds -= odds.max(axis=1, keepdims=True)
        np.exp(odds, out=odds)
        odds /= odds.sum(axis=1, keepdims=True)
        return odds

    def claims(self, variants: Variants) -> Floats:
        """Expected number of votes v of LF j on items of class k, float64 [R, m, S, K]."""
        tally = self._tally(self.posterior(variants), variants.counts)
        return np.asarray(tally[:, :-1].transpose(3, 0, 1, 2))

    def _tally(
        self, posterior: npt.NDArray[np.floating], counts: npt.NDArray[np.float32]
    ) -> Floats:
        p, k, r = posterior.shape
        weighted = (posterior * counts[:, None]).reshape(p, k * r).astype(np.float32, copy=False)
        tally = self._cast.reshape(p, -1).T @ weighted
        return tally.reshape(-1, self._cast.shape[2], k, r).astype(np.float64)

    def _normalised(self, tally: Floats) -> Floats:
        given = tally + self._anchor
        given /= given.sum(axis=1, keepdims=True)
        given[self._unused] = 1  # never looked up
        return given
