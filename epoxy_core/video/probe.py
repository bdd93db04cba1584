"""What a container says about its video, checked against the limits of the source."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import VideoSource
from epoxy_core.video.container import COPY_AGAIN, LEAVE_OUT, open_video
from epoxy_core.video.decode import FrameReader
from epoxy_core.video.orientation import orientation

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Beyond this, "frames per second" is a clock of the container.
_MAX_FPS = 1000.0
# One side by the other; models see squares.
_MAX_RATIO = 32
# Containers whose header states the duration; of others FFmpeg may only estimate it.
_STATE_DURATION = frozenset({"asf", "avi", "matroska", "mp4", "webm"})


@dataclass(frozen=True)
class VideoInfo:
    """A video in figures.

    Attributes
    ----------
    width, height
        Pixels of the upright picture.
    fps
        Average frames per second; 0.0 if the container does not say.
    duration
        Seconds. Of `probe`: as the container says, 0.0 if it does not. Of a scan: decoded.
    codec
        FFmpeg's name of the codec, such as "h264".
    rotation
        Degrees clockwise by which stored pictures are turned to be upright.
    container
        FFmpeg's name of the container format, such as "mov,mp4,m4a,3gp,3g2,mj2".
    has_audio
        Whether there is sound.
    metadata
        Tags of the container: lower-case keys of letters, digits and underscores.
    aspect
        Width of a stored pixel by its height.
    start
        Where the container's clock starts, seconds; None if it does not say.
    announced
        Duration that a container states rather than one estimated from its size; else 0.0.
    """

    width: int
    height: int
    fps: float
    duration: float
    codec: str
    rotation: int
    container: str
    has_audio: bool
    metadata: dict[str, str]
    aspect: float = 1.0
    start: float | None = None
    announced: float = 0.0


def probe(path: Path, source: VideoSource) -> VideoInfo:
    """Describe a video, having decoded its first frame.

    Parameters
    ----------
    path
        The file.
    source
        The limits ``max_pixels`` and ``max_seconds``.

    Raises
    ------
    EpoxyError
        If it is no video, nothing in it can be decoded, or it is beyond a limit.
    """
    with open_video(path) as (container, stream):
        check_pixels(path, source, stream.width, stream.height)
        duration = _duration(container, stream)
        announced = duration if _STATE_DURATION & set(container.format.name.split(",")) else 0.0
        check_seconds(path, source, announced)
        frame = next(iter(FrameReader(path)), None)
        if frame is None:
            raise nothing_decoded(path, stream.codec_context.name)
        check_pixels(path, source, frame.width, frame.height)
        described = _describe(container, stream, frame)
        return replace(described, duration=duration, announced=announced)


def check_pixels(path: Path, source: VideoSource, width: int, height: int) -> None:
    """Refuse pictures beyond ``source.max_pixels``, and lines instead of pictures.

    Raises
    ------
    EpoxyError
        Naming the file, its size and the limit.
    """
    if min(width, height) < 2 or max(width, height) > _MAX_RATIO * min(width, height):
        raise EpoxyError(
            f"its pictures of {width} x {height} pixels are lines rather than pictures",
            where=str(path),
            remedy=LEAVE_OUT,
        )
    if width * height > source.max_pixels:
        raise EpoxyError(
            f"its pictures of {width} x {height} pixels are beyond source.max_pixels "
            f"({source.max_pixels})",
            where=str(path),
            remedy="Raise source.max_pixels, scale the video down, or leave it out.",
        )


def check_seconds(path: Path, source: VideoSource, seconds: float, sofar: str = "") -> None:
    """Refuse videos beyond ``source.max_seconds``.

    Raises
    ------
    EpoxyError
        Naming the file, its duration and the limit.
    """
    if seconds > source.max_seconds:
        raise EpoxyError(
            f"its duration{sofar}, {seconds:.1f} s, is beyond source.max_seconds "
            f"({source.max_seconds:g})",
            where=str(path),
            remedy="Raise source.max_seconds, split the video, or leave it out.",
        )


def nothing_decoded(path: Path, codec: str) -> EpoxyError:
    """Say that not one frame of a video could be decoded."""
    return EpoxyError(
        f"not one frame of its {codec} video can be decoded", where=str(path), remedy=COPY_AGAIN
    )


def _describe(container: "InputContainer", stream: "VideoStream", frame: "VideoFrame") -> VideoInfo:
    upright = orientation(frame)
    width, height = upright.size(frame.width, frame.height)
    rate = stream.average_rate or stream.guessed_rate
    fps = float(rate) if rate else 0.0
    pixel = stream.sample_aspect_ratio
    aspect = float(pixel) if pixel else 1.0
    start = container.start_time
    return VideoInfo(
        width=width,
        height=height,
        fps=fps if 0 < fps <= _MAX_FPS else 0.0,
        duration=0.0,
        codec=stream.codec_context.codec.canonical_name,
        rotation=upright.rotation,
        container=container.format.name,
        has_audio=bool(container.streams.audio),
        metadata={
            re.sub(r"[^0-9a-z]+", "_", key.lower()).strip("_"): value
            for key, value in sorted(container.metadata.items())
        },
        aspect=aspect if 0.25 <= aspect <= 4 else 1.0,
        start=None if start is None else start / 1_000_000,
    )


def _duration(container: "InputContainer", stream: "VideoStream") -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return 0.0 if container.duration is None else container.duration / 1_000_000
