"""The frames of one video as they pass by: times, shots, motion, damage, limits."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from epoxy_core.source_settings import VideoSource
from epoxy_core.video.decode import FrameReader
from epoxy_core.video.pictures import Scaler
from epoxy_core.video.probe import VideoInfo, check_pixels, check_seconds
from epoxy_core.video.shots import MIN_SHOT, ShotDetector
from epoxy_core.video.stretches import Passing, Sample
from epoxy_core.video.timeline import Holes, Timeline

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Seconds from frame to frame where neither the container nor the frames say.
_STEP = 0.04
# A container's duration is met if no more is missing than this many seconds, this share of it,
# or the longest that a frame was shown.
_MISSING, _MISSING_SHARE = 0.5, 0.01


@dataclass(frozen=True, slots=True)
class _Held:
    number: int
    time: float
    end: float
    change: float | None
    frame: "VideoFrame"
    picture: npt.NDArray[np.uint8]


class Watch:
    """Decodes a video once.

    Attributes
    ----------
    shots
        Number and time of the first frame of every shot so far.
    end
        Seconds decoded so far.
    """

    def __init__(
        self,
        path: Path,
        source: VideoSource,
        info: VideoInfo,
        progress: Callable[[float], None] | None,
    ) -> None:
        self.shots: list[tuple[int, float]] = []
        self.end = 0.0
        self._path, self._source, self._info = path, source, info
        self._progress = progress
        self._reader = FrameReader(path)
        self._scaler = Scaler(info.aspect)
        self._count = 0
        self._damage_time: float | None = None
        self._holes = Holes()

    @property
    def rate(self) -> float:
        """Frames per second decoded so far."""
        return self._count / self.end if self.end else 0.0

    def frames(self) -> Iterator[Passing]:
        """Give every frame, once it is known whether it starts a shot.

        Raises
        ------
        EpoxyError
            If the video turns out to be beyond a limit of the source.
        """
        detector = ShotDetector(self._source.shot_threshold)
        held: deque[_Held] = deque()
        for frame in self._measured():
            held.append(frame)
            cut = detector.see(frame.picture)
            if len(held) > detector.delay:
                yield self._pass(held.popleft(), cut)
        while held:
            yield self._pass(held.popleft(), cut=False)
        if self._progress is not None:
            self._progress(self.end)

    def problems(self) -> list[str]:
        """What could not be decoded; call it when all frames have passed."""
        reader, found = self._reader, []
        at = self.end if self._damage_time is None else self._damage_time
        if reader.damaged:
            frames = "damaged frame" if reader.damaged == 1 else "damaged frames"
            since = "" if reader.damaged == 1 else "the first "
            found.append(f"{reader.damaged} {frames}, {since}at {at:.1f} s")
        elif reader.concealed:
            found.append(f"damaged at {at:.1f} s, which the decoder concealed")
        if holes := self._holes.found():
            more = f" and in {len(holes) - 1} more places" if len(holes) > 1 else ""
            found.append(f"no frames from {holes[0][0]:.1f} s to {holes[0][1]:.1f} s{more}")
        promised, reached = self._info.announced, max(self.end, self._last_packet())
        if reader.broken is not None:
            found.append(f"cannot be read beyond {self.end:.1f} s: {reader.broken}")
        elif promised - reached > max(_MISSING, _MISSING_SHARE * promised, self._holes.longest):
            found.append(f"cut off after {self.end:.1f} s of {promised:.1f} s")
        return found

    def _last_packet(self) -> float:
        return self._reader.last_packet - (self._info.start or 0.0)

    def _pass(self, held: _Held, cut: bool) -> Passing:
        if not self.shots or (cut and held.time - self.shots[-1][1] >= MIN_SHOT):
            self.shots.append((held.number, held.time))
        starts = self.shots[-1][0] == held.number
        sample = partial(self._sample, held)
        return Passing(held.time, held.end, starts, held.change, sample)

    def _sample(self, held: _Held) -> Sample:
        thumbnail = self._scaler.thumbnail(held.frame, self._source.thumbnail)
        return Sample(held.number, held.time, held.picture, thumbnail)

    def _measured(self) -> Iterator[_Held]:
        """Frames with their times, small copies and change from the frame before."""
        import cv2

        timeline = Timeline(self._info.start, 1 / self._info.fps if self._info.fps else _STEP)
        before: npt.NDArray[np.uint8] | None = None
        reported = 0.0
        for number, frame in enumerate(self._reader):
            check_pixels(self._path, self._source, frame.width, frame.height)
            time = timeline.place(None if frame.pts is None else frame.time)
            self.end = time + _shown(frame, timeline.step)
            check_seconds(self._path, self._source, self.end, " as decoded so far")
            self._count = number + 1
            self._holes.see(time)
            damaged = self._reader.damaged or self._reader.concealed
            if damaged and self._damage_time is None:
                self._damage_time = time
            if self._progress is not None and time - reported >= 1:
                reported = time
                self._progress(time)
            picture = self._scaler.small(frame)
            grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
            change = None if before is None else float(cv2.absdiff(grey, before).mean()) / 255
            before = grey
            yield _Held(number, time, self.end, change, frame, picture)


def _shown(frame: "VideoFrame", step: float) -> float:
    """Seconds for which a frame is shown; a container's slip of hours is not believed."""
    if frame.duration and frame.time_base is not None:
        seconds = float(frame.duration * frame.time_base)
        if 0 < seconds <= 60:
            return seconds
    return step
