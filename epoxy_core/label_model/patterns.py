"""The distinct rows of votes, by numbers: counted one by one where there are few."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Votes
from epoxy_core.threads import by_rows

_ROWS_AT_ONCE = 32_768
_MOST_CODES = 1 << 20

Column = npt.NDArray[np.int8]


class VotePatterns(NamedTuple):
    """The distinct rows of a vote matrix, in an order that depends on nothing but themselves.

    Attributes
    ----------
    patterns
        int8 [p, m].
    inverse
        int32 [n], so that ``patterns[inverse]`` is the vote matrix.
    counts
        int64 [p].
    """

    patterns: Votes
    inverse: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]


class Numbered(NamedTuple):
    """Distinct codes, ascending.

    Attributes
    ----------
    codes
        int64 [p].
    inverse
        int32 [n], which of them each row has.
    counts
        int64 [p].
    """

    codes: npt.NDArray[np.int64]
    inverse: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]


class RowCodes:
    """Votes as codes: some columns' make a word, a number of digits of some base.

    They are kept: when some columns are replaced, only their digits are.
    """

    def __init__(self) -> None:
        self._base = self._room = 0
        self._columns: tuple[Column, ...] = ()
        self._widths: list[int] = []
        self._words: list[npt.NDArray[np.int32]] = []
        self._numbered: list[Numbered] = []

    def patterns(self, columns: Sequence[Column], base: int) -> VotePatterns:
        """The distinct rows, sorted by the first LF's vote, then the next's.

        Parameters
        ----------
        columns
            int8 [n] each, one per LF, one at least; not to be changed afterwards. Those that are
            the very objects of the last call are taken to be the same.
        base
            Above the largest vote by 2 at least.
        """
        old, self._columns = self._columns, ()  # what is interrupted starts from scratch
        if (self._base, len(old)) != (base, len(columns)) or len(old[0]) != len(columns[0]):
            self._base, self._room = base, int(np.log(_MOST_CODES) / np.log(base))
            self._write(columns)
        else:
            for lf, column in enumerate(columns):
                if column is not old[lf]:
                    self._replace(lf, old[lf], column)
        self._columns = tuple(columns)
        found, rows = self._numbered[0], self._digits(0)
        for at, other in enumerate(self._numbered[1:], 1):
            found = paired(found, other)
            left, right = np.divmod(found.codes, len(other.codes))
            rows = np.concatenate([rows[left], self._digits(at)[right]], axis=1)
        return VotePatterns(rows, found.inverse, found.counts)

    def _write(self, columns: Sequence[Column]) -> None:
        n, room = len(columns[0]), self._room
        words = range(0, len(columns), room)
        self._widths = [min(room, len(columns) - start) for start in words]
        self._words = [np.empty(n, np.int32) for _ in words]

        def write(first: int, last: int) -> None:
            for word, start in zip(self._words, words, strict=True):
                for top in range(first, last, _ROWS_AT_ONCE):
                    rows = slice(top, min(top + _ROWS_AT_ONCE, last))
                    word[rows] = 0
                    for column in columns[start : start + room]:
                        word[rows] *= self._base
                        word[rows] += column[rows]
                        word[rows] += 1

        by_rows(n, write)
        self._numbered = [numbered(word, self._size(at)) for at, word in enumerate(self._words)]

    def _replace(self, lf: int, old: Column, new: Column) -> None:
        at, place = divmod(lf, self._room)
        value, word = self._base ** (self._widths[at] - 1 - place), self._words[at]
        changed = np.flatnonzero(new != old)
        word[changed] += value * (new[changed].astype(np.int32) - old[changed])
        self._numbered[at] = numbered(word, self._size(at))

    def _size(self, at: int) -> int:
        return int(self._base ** self._widths[at])

    def _digits(self, at: int) -> Votes:
        values = self._base ** np.arange(self._widths[at])[::-1]
        digits = self._numbered[at].codes[:, None] // values % self._base - 1
        return digits.astype(np.int8)


def vote_patterns(votes: Votes) -> VotePatterns:
    """Collapse a vote matrix, int8 [n, m], to its distinct rows; see `RowCodes.patterns`."""
    n, m = votes.shape
    if not m:
        some = min(n, 1)
        counts = np.full(some, n, np.int64)
        return VotePatterns(np.empty((some, 0), np.int8), np.zeros(n, np.int32), counts)
    return RowCodes().patterns(list(votes.T), int(votes.max(initial=0)) + 2)


def paired(one: Numbered, other: Numbered) -> Numbered:
    """Number distinct pairs: of the codes' places, one's ahead of the other's."""
    size = len(one.codes) * len(other.codes)
    kind = np.int32 if size <= _MOST_CODES else np.int64
    codes = np.multiply(one.inverse, len(other.codes), dtype=kind)
    codes += other.inverse
    return numbered(codes, size)


def numbered(codes: npt.NDArray[np.int32] | npt.NDArray[np.int64], size: int) -> Numbered:
    """Number distinct codes, int [n], in ascending order.

    Parameters
    ----------
    codes
        At least 0 and below ``size``; int32 where that is 2²⁰ at most, else int64.
    size
        Where it is larger, a hash table stands in for one of all codes.
    """
    from epoxy_core.label_model import kernels

    inverse = np.empty(len(codes), np.int32)
    if size <= _MOST_CODES:
        counts = np.zeros(size, np.int64)
        kernels.count_codes(codes, counts)
        order = known = np.flatnonzero(counts)
        numbers = codes
    else:
        numbers = np.empty(len(codes), np.int32)
        known, counts = kernels.number_codes(codes, numbers)
        order = np.argsort(known)
        known = known[order]
    ranks = np.empty(len(counts), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    by_rows(len(codes), lambda start, end: kernels.look_up(ranks, numbers, start, end, inverse))
    return Numbered(known, inverse, counts[order])
