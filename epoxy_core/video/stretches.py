"""Where one item ends and the next begins, as the frames of a video pass by."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.source_settings import VideoSource
from epoxy_core.video.windows import Sampler, Spread, clip_of, keeps_last_clip

# Of a stretch, at least half as many frames are kept until its end is known.
_CANDIDATES = 128

Takes = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame that is looked at: ``picture`` is its small copy, ``thumbnail`` a JPEG."""

    number: int
    time: float
    picture: npt.NDArray[np.uint8]
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class Passing:
    """A frame that passes by.

    Attributes
    ----------
    time, end
        Seconds from when and, if it is the last, until when it is shown.
    cut
        Whether it starts a shot.
    change
        Mean absolute change of luma since the frame before; None for the first.
    sample
        Makes a sample of it.
    """

    time: float
    end: float
    cut: bool
    change: float | None
    sample: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Stretch:
    """An item: a span of time in seconds, its samples in order, and how much moves in it."""

    start: float
    end: float
    samples: list[Sample]
    motion: float


def cut_into_items(frames: Iterable[Passing], source: VideoSource) -> Iterator[Stretch]:
    """Cut the frames of a video into the items that the source asks for.

    Parameters
    ----------
    frames
        In order, times rising.
    source
        ``items``, ``sample``, ``clip_seconds`` and ``frames_per_item``.

    Yields
    ------
    Stretch
        In order of time, none without a sample. Frames and shots follow each other without a
        gap from the first frame to the end of the last. Clips are counted from 0 s: one during
        which no new frame comes shows the last one; the last, if shorter than half a clip, is
        left out unless it is the only one.
    """
    rate = source.sample
    if source.items == "clip" and rate != "shot":
        yield from _clips(frames, rate, source.clip_seconds, source.frames_per_item)
    elif rate == "shot":
        yield from _between(frames, lambda frame: frame.cut, lambda _: _always, 1)
    elif source.items == "shot":
        yield from _between(
            frames,
            lambda frame: frame.cut,
            lambda start: Sampler(rate, start).takes,
            source.frames_per_item,
        )
    else:
        periods = Sampler(rate, 0.0)
        yield from _between(
            frames, lambda frame: periods.takes(frame.time), lambda start: start.__ge__, 1
        )


class _Open:
    """A stretch whose end is not known yet."""

    def __init__(self, start: float, takes: Takes) -> None:
        self.start = start
        self._takes = takes
        self._samples: Spread[Sample] = Spread(_CANDIDATES)
        self._change, self._count = 0.0, 0

    def add(self, frame: Passing) -> None:
        if self._takes(frame.time):
            self._samples.add(frame.sample)
        if frame.change is not None and not frame.cut:
            self._change += frame.change
            self._count += 1

    def close(self, end: float, wanted: int) -> Stretch:
        motion = self._change / self._count if self._count else 0.0
        return Stretch(self.start, end, self._samples.chosen(wanted), motion)


def _always(_time: float) -> bool:
    return True


def _between(
    frames: Iterable[Passing],
    starts: Callable[[Passing], bool],
    takes_from: Callable[[float], Takes],
    wanted: int,
) -> Iterator[Stretch]:
    current: _Open | None = None
    end = 0.0
    for frame in frames:
        if starts(frame) or current is None:
            if current is not None:
                yield current.close(frame.time, wanted)
            current = _Open(frame.time, takes_from(frame.time))
        current.add(frame)
        end = frame.end
    if current is not None:
        yield current.close(end, wanted)


def _clips(
    frames: Iterable[Passing], rate: float, seconds: float, wanted: int
) -> Iterator[Stretch]:
    current: _Open | None = None
    last: Passing | None = None
    first = clip = 0
    for frame in frames:
        number = clip_of(frame.time, seconds)
        if current is None or last is None:
            first, clip, current = number, number, _clip(number, rate, seconds)
        while clip < number:
            clip += 1
            yield current.close(clip * seconds, wanted)
            current = _clip(clip, rate, seconds)
            if clip < number and last is not None:
                current.add(_still(last))
        current.add(frame)
        last = frame
    if current is None or last is None:
        return
    while (clip + 1) * seconds < last.end:
        clip += 1
        yield current.close(clip * seconds, wanted)
        current = _clip(clip, rate, seconds)
        current.add(_still(last))
    if keeps_last_clip(last.end - current.start, seconds, clip - first + 1):
        yield current.close(last.end, wanted)


def _clip(number: int, rate: float, seconds: float) -> _Open:
    return _Open(number * seconds, Sampler(rate, number * seconds).takes)


def _still(frame: Passing) -> Passing:
    return Passing(frame.time, frame.end, False, None, frame.sample)
