"""Times of frames that only rise, whatever the file says about them."""

from statistics import median

# A frame that does not come after the one before it is put this much later, in seconds.
_NUDGE = 0.001
# A time that falls back by more, or leaps ahead by more than this many seconds is a clock that was
# set anew, or a damaged one.
_BACK, _AHEAD = 1.0, 600.0
# The usual step is that of the first frames. A hole is this long, in seconds and in steps; where
# more than a share of the steps are longer than usual, frames come as they like.
_FIRST, _HOLE, _HOLE_STEPS, _LONGER, _SHARE = 12, 0.4, 5, 1.5, 0.05


class Timeline:
    """Places frames, in the order of the decoder, on one time axis.

    Parameters
    ----------
    origin
        The container's start: subtracted from every time, so that captions and hand labels
        agree with what a player shows. None: the first frame's time.
    step
        Seconds from frame to frame where the file does not say.
    """

    def __init__(self, origin: float | None, step: float) -> None:
        self.step = step
        self._origin = origin
        self._last: float | None = None

    def place(self, time: float | None) -> float:
        """Time of the next frame in seconds: above the last one's, never negative.

        A missing time is one step after the last; one that stands still or falls back a little
        is a millisecond after it; one that falls back by more than a second, or leaps ahead by
        more than ten minutes, is damaged or of a recording that was joined to another, and the
        clock goes on one step after the last.
        """
        if self._origin is None and time is not None:
            self._origin = time if self._last is None else time - self._last - self.step
        placed = None if time is None or self._origin is None else time - self._origin
        if self._last is None:
            placed = max(placed or 0.0, 0.0)
            if placed > _AHEAD and time is not None:
                placed, self._origin = 0.0, time
        elif placed is None:
            placed = self._last + self.step
        elif time is not None and not self._last - _BACK <= placed <= self._last + _AHEAD:
            placed = self._last + self.step
            self._origin = time - placed
        elif placed <= self._last:
            placed = self._last + _NUDGE
        self._last = placed
        return placed


class Holes:
    """Notices stretches without frames in a video whose frames come in step.

    Some containers lose what is damaged without a word. Where frames come as they like, as in
    recordings of a screen, nothing is noticed.

    Attributes
    ----------
    longest
        Seconds of the longest step that is no hole.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._found: list[tuple[float, float]] = []
        self._first: list[float] = []
        self._last: float | None = None
        self._steps = self._longer = 0

    def see(self, time: float) -> None:
        """Look at the time of the next frame."""
        last, self._last = self._last, time
        if last is None:
            return
        step = time - last
        if len(self._first) < _FIRST:
            self._first.append(step)
        usual = median(self._first)
        self._steps += 1
        self._longer += step > _LONGER * usual
        if len(self._first) == _FIRST and step >= max(_HOLE, _HOLE_STEPS * usual):
            self._found.append((last, time))
        else:
            self.longest = max(self.longest, step)

    def found(self) -> list[tuple[float, float]]:
        """First and last second of every hole."""
        return self._found if self._longer <= _SHARE * self._steps else []
