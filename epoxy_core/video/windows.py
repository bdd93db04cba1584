"""Which frames of a stretch of time are looked at: pure functions of times and counts."""

from collections.abc import Callable
from math import floor
from typing import Generic, TypeVar

T = TypeVar("T")

# Containers round times to a millisecond.
TOLERANCE = 0.001


class Sampler:
    """Takes the first of the rising times in every period of 1/rate seconds.

    Periods are counted from ``start``, so that at one frame per second the frames taken stay on
    whole seconds. Two times taken are at least half a period apart.

    Parameters
    ----------
    rate
        Frames per second; at most one is taken in each period.
    start
        Seconds at which the first period starts.
    """

    def __init__(self, rate: float, start: float) -> None:
        self.rate = rate
        self.start = start
        self._due = float("-inf")

    def takes(self, time: float) -> bool:
        """Whether the frame at this time is taken; times rise from call to call."""
        if time < self._due:
            return False
        period = floor((time - self.start + TOLERANCE) * self.rate)
        edge = self.start + (period + 1) / self.rate - TOLERANCE
        self._due = max(edge, time + 0.5 / self.rate)
        return True


def spread(count: int, wanted: int) -> list[int]:
    """Evenly spaced positions out of ``range(count)``, at most ``wanted``, none at the rims."""
    wanted = min(count, wanted)
    return [(2 * i + 1) * count // (2 * wanted) for i in range(wanted)]


class Spread(Generic[T]):
    """Keeps a bounded, evenly spaced choice of a series whose length is not known yet.

    When it is full, every other one is dropped and from then on only every second, fourth, …
    is kept: always between half of ``capacity`` and ``capacity`` once that many were seen.

    Parameters
    ----------
    capacity
        How many are kept at most; even.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.kept: list[T] = []
        self._seen = 0
        self._stride = 1

    def add(self, make: Callable[[], T]) -> None:
        """See the next of the series; ``make`` is called only if it is kept."""
        position, self._seen = self._seen, self._seen + 1
        if position % self._stride:
            return
        if len(self.kept) == self.capacity:
            self.kept = self.kept[::2]
            self._stride *= 2
        if position % self._stride == 0:
            self.kept.append(make())

    def chosen(self, wanted: int) -> list[T]:
        """At most ``wanted`` of those kept, evenly spaced."""
        return [self.kept[i] for i in spread(len(self.kept), wanted)]


def clip_of(time: float, seconds: float) -> int:
    """Number of the clip, from 0, in which a time lies."""
    return floor((time + TOLERANCE) / seconds)


def keeps_last_clip(length: float, seconds: float, clips: int) -> bool:
    """Whether the last clip is an item: at least half as long as the others, or the only one."""
    return clips == 1 or length >= seconds / 2
