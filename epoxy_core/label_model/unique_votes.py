"""The distinct rows of votes and their probabilities, and what they say of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
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
    softmax,
    validate_votes,
)
from epoxy_core.label_model.groups import Groups
from epoxy_core.label_model.patterns import (
    Numbered,
    RowCodes,
    VotePatterns,
    paired,
    vote_patterns,
)
from epoxy_core.labeling import beyond_chance, fractions, has_negative, spread


@dataclass(frozen=True, eq=False)
class UniqueVotes:
    """Votes, checked and collapsed to p distinct rows.

    Attributes
    ----------
    patterns
        int8 [p, m].
    strength
        float32 [p, m], probabilities of the votes, 1 where there is none; None if all are plain.
    inverse
        int32 [n], so that ``patterns[inverse]`` are the votes.
    counts
        int64 [p].
    n_classes
        K.
    """

    patterns: Votes
    strength: Strength | None
    inverse: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    n_classes: int

    @cached_property
    def n_symbols(self) -> int:
        """S: K if no vote is against a class, else 2K."""
        return 2 * self.n_classes if has_negative(self.patterns, self.n_classes) else self.n_classes

    @cached_property
    def n_votes(self) -> npt.NDArray[np.int64]:
        """How many votes each row has, int64 [p]."""
        return np.asarray((self.patterns >= 0).sum(axis=1))

    @cached_property
    def symbol_counts(self) -> Floats:
        """How often each LF casts each symbol, in fractions if soft: float64 [m, S]."""
        return self.by_class(np.ones((len(self.patterns), 1)))[0][:, :, 0]

    def cast(self, n_symbols: int) -> Any:
        """What each LF voted, in fractions of a vote if soft: sparse [p, m·S], at LF·S + symbol.

        It is kept, and not to be changed.

        Raises
        ------
        EpoxyError
            If there are votes against a class, and ``n_symbols`` has none.
        """
        self.check(n_symbols)
        made = self._made_by_symbols
        if n_symbols not in made:
            made[n_symbols] = self._cast(n_symbols)
        return made[n_symbols]

    def by_class(self, posterior: Floats) -> tuple[Floats, Floats]:
        """Count votes by class: float64 [m, S, K], and silence, [m, K].

        Parameters
        ----------
        posterior
            float64 [p, K], each row's probabilities of classes.
        """
        m, k = self.patterns.shape[1], posterior.shape[1]
        if self.strength is None:
            seen = self._groups.count(self.counts, posterior)[:, : self.n_symbols + 1]
            return seen[:, 1:], seen[:, 0]
        mass = posterior * self.counts[:, None]
        cast = np.asarray(self.cast(self.n_symbols).T @ mass).reshape(m, -1, k)
        return cast, (self.patterns < 0).astype(np.float64).T @ mass

    def probabilities(self, evidence: Floats, silence: Floats, start: Floats) -> Floats:
        """Add up what votes and silence say, float64 [p, K], rows sum to 1.

        Parameters
        ----------
        evidence, silence
            float64 [m, S, K] and [m, K], what is added to a class's score.
        start
            float64 [K], the scores without votes.

        Raises
        ------
        EpoxyError
            If there are votes against a class, and ``evidence`` is of none.
        """
        self.check(evidence.shape[1])
        if self.strength is None:
            table = np.concatenate([silence[:, None], evidence], axis=1)
            return self._groups.weigh(table[:, : self.n_symbols + 1], start)
        scores = self.cast(evidence.shape[1]) @ evidence.reshape(-1, len(start))
        if silence.any():
            scores = scores + (self.patterns < 0) @ silence
        return softmax(start + scores)

    def rows(self, which: npt.NDArray[np.intp]) -> "UniqueVotes":
        """Some of the distinct rows; ``inverse`` is of no use then, and empty."""
        strength = None if self.strength is None else self.strength[which]
        nobody = np.zeros(0, np.int32)
        counts = self.counts[which]
        return UniqueVotes(self.patterns[which], strength, nobody, counts, self.n_classes)

    def check(self, n_symbols: int) -> None:
        """Raise an EpoxyError if there are votes against a class, and the symbols have none."""
        if self.n_symbols > n_symbols:
            raise EpoxyError(
                "votes against a class, and the label model was fitted without any",
                where="vote matrix",
                remedy="Fit it on votes of the same kinds.",
            )

    @cached_property
    def _groups(self) -> Groups:
        return Groups(self.patterns, self.n_symbols + 1)

    @cached_property
    def _made_by_symbols(self) -> dict[int, Any]:
        return {}

    def _cast(self, n_symbols: int) -> Any:
        from scipy.sparse import csr_array

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
    return _with_strength(found, list(known.T), n_classes)


def unique_columns(
    columns: Sequence[npt.NDArray[np.int8]],
    strength: Sequence[npt.NDArray[np.float32] | None],
    n_classes: int,
    codes: RowCodes | None = None,
) -> UniqueVotes:
    """`unique_votes` of votes by column, which are not checked.

    Parameters
    ----------
    columns
        int8 [n] each, one per LF, one at least.
    strength
        float32 [n] each, above 0, 1 where there is no vote; None: the LF's votes are plain.
    n_classes
        K.
    codes
        Those of these columns or of others of the same labeling functions, which are brought up to
        date. None: made here.
    """
    symbols = 2 * n_classes if any(has_negative(c, n_classes) for c in columns) else n_classes
    found = (codes or RowCodes()).patterns(columns, symbols + 1)
    soft = [column if column is None or (column < 1).any() else None for column in strength]
    if all(column is None for column in soft):
        return UniqueVotes(found.patterns, None, found.inverse, found.counts, n_classes)
    return _with_strength(found, soft, n_classes)


def _with_strength(
    found: VotePatterns, strength: Sequence[npt.NDArray[np.float32] | None], n_classes: int
) -> UniqueVotes:
    """Distinct rows of votes and of their probabilities, [n] by LF; None: all are 1."""
    rows = Numbered(np.arange(len(found.counts)), found.inverse, found.counts)
    which, claims = np.arange(len(found.counts)), np.ones(found.patterns.shape, np.float32)
    for lf, column in enumerate(strength):
        if column is not None and (column < 1).any():
            values, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
            rank = inverse.astype(np.int32)
            rows = paired(rows, Numbered(np.arange(len(values)), rank, counts))
            left, right = np.divmod(rows.codes, len(values))
            which, claims = which[left], claims[left]
            claims[:, lf] = values[right]
    return UniqueVotes(found.patterns[which], claims, rows.inverse, rows.counts, n_classes)


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
