"""The distinct rows of votes and their probabilities, and what they say of the classes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    Floats,
    Strength,
    Votes,
    class_votes,
    validate_votes,
    vote_patterns,
)
from epoxy_core.labeling import beyond_chance, fractions, has_negative, spread


@dataclass(frozen=True, slots=True, eq=False)
class UniqueVotes:
    """Votes, checked and collapsed to p distinct rows.

    Attributes
    ----------
    patterns
        int8 [p, m].
    strength
        float32 [p, m], probabilities of the votes, 1 where there is none; None if all are plain.
    inverse
        int [n], so that ``patterns[inverse]`` are the votes.
    counts
        int64 [p].
    n_classes
        K.
    """

    patterns: Votes
    strength: Strength | None
    inverse: npt.NDArray[np.intp]
    counts: npt.NDArray[np.int64]
    n_classes: int

    @property
    def n_symbols(self) -> int:
        """S: K if no vote is against a class, else 2K."""
        return 2 * self.n_classes if has_negative(self.patterns, self.n_classes) else self.n_classes

    def cast(self, n_symbols: int) -> Any:
        """What each LF voted, in fractions of a vote if soft: sparse [p, m·S], at LF·S + symbol.

        Raises
        ------
        EpoxyError
            If there are votes against a class, and ``n_symbols`` has none.
        """
        from scipy.sparse import csr_array

        if self.n_symbols > n_symbols:
            raise EpoxyError(
                "votes against a class, and the label model was fitted without any",
                where="vote matrix",
                remedy="Fit it on votes of the same kinds.",
            )
        rows, lfs = np.nonzero(self.patterns >= 0)
        votes = self.patterns[rows, lfs]
        shape = (len(self.patterns), self.patterns.shape[1] * n_symbols)
        if self.strength is None:
            return csr_array((np.ones(len(rows)), (rows, lfs * n_symbols + votes)), shape=shape)
        parts = fractions(votes, self.strength[rows, lfs], n_symbols, self.n_classes)
        vote, symbol = np.nonzero(parts)
        columns = lfs[vote] * n_symbols + symbol
        return csr_array((parts[vote, symbol], (rows[vote], columns)), shape=shape)

    def tally(self, weights: Floats | None = None) -> Floats:
        """Votes by class, weighted by LF, float64 [p, K]; rows sum to the votes' weights.

        A vote against a class is shared evenly by the others; so is each fraction of a soft one.
        """
        if self.strength is None and self.n_symbols == self.n_classes:
            return class_votes(self.patterns, self.n_classes, weights)
        table = np.tile(spread(self.n_classes)[: self.n_symbols], (self.patterns.shape[1], 1, 1))
        if weights is not None:
            table = table * weights[:, None, None]
        return np.asarray(self.cast(self.n_symbols) @ table.reshape(-1, self.n_classes))

    def shared_out(self, lf: int, rows: npt.NDArray[np.intp]) -> Floats:
        """One LF's part of the `tally` of rows it votes on, float64 [r, K]."""
        votes, table = self.patterns[rows, lf], spread(self.n_classes)
        if self.strength is None:
            return np.asarray(table[votes])
        parts = fractions(votes, self.strength[rows, lf], len(table), self.n_classes)
        return np.asarray(parts @ table)

    def prior_accuracy(self) -> Floats:
        """P(what an LF says is true) before its overlaps are looked at, float64 [m].

        `PRIOR_ACCURACY` for votes for a class. Votes against one are taken to know as much beyond
        chance, which for them is (K−1)/K.
        """
        result = np.full(self.patterns.shape[1], PRIOR_ACCURACY)
        if has_negative(self.patterns, self.n_classes):
            known = beyond_chance(PRIOR_ACCURACY, 1 / self.n_classes)
            for lf, cast in enumerate(self.patterns.T):
                voted = np.flatnonzero(cast >= self.n_classes)
                share = self.counts[voted].sum() / max(self.counts[cast >= 0].sum(), 1)
                if share:
                    guess = share * (1 - 2 / self.n_classes) + 1 / self.n_classes
                    result[lf] = guess + known * (1 - guess)
        return result


def unique_votes(
    votes: npt.NDArray[np.integer], strength: npt.NDArray[np.floating] | None, n_classes: int
) -> UniqueVotes:
    """Check votes and collapse them, with their probabilities, to distinct rows.

    The order of the rows depends on nothing but themselves.

    Parameters
    ----------
    votes
        int [n, m], −1 to 2K−1.
    strength
        float [n, m], not read where there is no vote; None: all votes are plain.
    n_classes
        K.

    Raises
    ------
    EpoxyError
        If a vote is no symbol, the shapes differ, or a probability is not above 0 and at most 1.
    """
    checked = validate_votes(votes, n_classes, negative=True)
    found = vote_patterns(checked)
    known = None if strength is None else _validated(checked, strength)
    if known is None:
        return UniqueVotes(found.patterns, None, found.inverse, found.counts, n_classes)
    code = found.inverse.astype(np.int64)
    for column in known.T:
        if (column < 1).any():
            values, rank = np.unique(column, return_inverse=True)
            code = np.unique(code * len(values) + rank, return_inverse=True)[1]
    _, first, inverse, counts = np.unique(
        code, return_index=True, return_inverse=True, return_counts=True
    )
    return UniqueVotes(
        checked[first], known[first], inverse.astype(np.intp, copy=False), counts, n_classes
    )


def _validated(votes: Votes, strength: npt.NDArray[np.floating]) -> Strength | None:
    """float32 [n, m], 1 where there is no vote; None if every vote is plain."""
    if strength.shape != votes.shape:
        raise EpoxyError(
            f"probabilities are {strength.shape}, votes {votes.shape}",
            where="vote matrix",
            remedy="Give one probability per vote.",
        )
    known = np.where(votes >= 0, strength, 1).astype(np.float32)
    wrong = ~((known > 0) & (known <= 1))
    if wrong.any():
        row, lf = np.argwhere(wrong)[0]
        raise EpoxyError(
            f"probability {strength[row, lf]:.4g} of a vote",
            where=f"vote matrix row {row}, labeling function {lf}",
            remedy="It is above 0 and at most 1; 1 is a plain vote.",
        )
    return known if (known < 1).any() else None
