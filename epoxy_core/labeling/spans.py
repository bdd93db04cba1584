"""Items as spans of time in their sequences: the arithmetic behind `windows`, on arrays."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

ROUNDING = 1e-6
"""By how much a difference of times may miss a bound: 0.3 − 0.1 is below 0.2."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Spans:
    """Spans of n items; rows in any order.

    Attributes
    ----------
    sequence
        int64 [n], a number for each sequence.
    start, end
        float64 [n], finite.
    """

    sequence: Integers
    start: Floats
    end: Floats

    @classmethod
    def of(cls, sequence: Integers, start: Floats, end: Floats) -> "Spans":
        """Make items without a sequence (below 0), start or end one by themselves.

        An end before the start counts as the start.
        """
        lacking = (sequence < 0) | ~np.isfinite(start) | ~np.isfinite(end)
        alone = np.arange(len(sequence)) + 1 + sequence.max(initial=0)
        start = np.where(lacking, 0.0, start)
        return cls(
            np.where(lacking, alone, sequence),
            start,
            np.where(lacking, 0.0, np.maximum(start, end)),
        )

    def within(self, seconds: float, true: Booleans) -> Booleans:
        """Spans at most so far from a true one: those that began in time, less those over."""
        began = self._sorted(self.start, true).below(self.end + (seconds + ROUNDING), "right")
        over = self._sorted(self.end, true).below(self.start - (seconds + ROUNDING), "left")
        return began > over

    def after(self, seconds: float, true: Booleans) -> Booleans:
        """Spans that begin at most so long after the end of a true one that began earlier."""
        began = self._sorted(self.start, true).below(self.start, "left")
        over = self._sorted(self.end, true).below(self.start - (seconds + ROUNDING), "left")
        return began > over

    def before(self, seconds: float, true: Booleans) -> Booleans:
        """Spans that end at most so long before the start of a true one that begins later."""
        starts = self._sorted(self.start, true)
        return starts.below(self.end + (seconds + ROUNDING), "right") > starts.below(
            self.start, "right"
        )

    def rolling_mean(self, seconds: float, value: Floats) -> Floats:
        """Mean of the finite values in a centred window; NaN where there is none."""
        middle, half = (self.start + self.end) / 2, seconds / 2 + ROUNDING
        middles = self._sorted(middle, np.isfinite(value))
        first, last = middles.below(middle - half, "left"), middles.below(middle + half, "right")
        sums = np.concatenate([[0.0], np.cumsum(value[middles.rows])])
        mean = np.full(len(value), np.nan)
        np.divide(sums[last] - sums[first], last - first, out=mean, where=last > first)
        return mean

    def lasts(self, seconds: float, true: Booleans) -> Booleans:
        """True items in unbroken runs that are at least so long."""
        result = np.zeros(len(true), np.bool_)
        if not true.any():
            return result
        order = np.lexsort((true, self.start, self.sequence))
        breaks = ~true[order]
        breaks[1:] |= np.diff(self.sequence[order]) != 0
        run = np.cumsum(breaks)[true[order]]
        rows = order[true[order]]
        first = np.flatnonzero(np.diff(run, prepend=-1))
        length = np.maximum.reduceat(self.end[rows], first) - self.start[rows[first]]
        result[rows] = np.repeat(length >= seconds - ROUNDING, np.diff(np.append(first, len(rows))))
        return result

    def _sorted(self, times: Floats, true: Booleans) -> "_Sorted":
        rows = np.flatnonzero(true)
        rows = rows[np.lexsort((times[rows], self.sequence[rows]))]
        sequences = self.sequence[rows]
        return _Sorted(
            rows,
            times[rows],
            np.searchsorted(sequences, self.sequence, "left"),
            np.searchsorted(sequences, self.sequence, "right"),
        )


class _Sorted(NamedTuple):
    """The times of c chosen items, ascending within each sequence.

    Attributes
    ----------
    rows, times
        int64 and float64 [c].
    first, last
        int64 [n], where those of every item's sequence are: ``times[first:last]``.
    """

    rows: Integers
    times: Floats
    first: Integers
    last: Integers

    def below(self, asked: Floats, side: Literal["left", "right"]) -> Integers:
        """`numpy.searchsorted` of each item in its own sequence, by bisection of all at once."""
        low, high = self.first, self.last
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            found = self.times[np.minimum(middle, len(self.times) - 1)]
            below = (found < asked) if side == "left" else (found <= asked)
            below &= low < high
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        return low
