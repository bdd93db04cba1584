"""Opening a file as a video, and saying what it is when it is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from epoxy_core.errors import EpoxyError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

LEAVE_OUT = "Leave it out of source.paths, or put the video itself there."
COPY_AGAIN = "Copy or download it again, or leave it out of source.paths."

# What other files begin with; the names are what a user reads.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
)
# Demuxers of pictures, of text drawn on a screen, and of lists that name other files.
_STILLS = frozenset({"image2", "ico", "tiff", "jpegxl_anim"})
_LISTS = frozenset({"hls", "dash", "concat", "imf", "tty", "rtsp", "sdp"})


@contextmanager
def open_video(path: Path) -> Iterator[tuple["InputContainer", "VideoStream"]]:
    """Open the container and choose its video stream.

    The stream is the first that is marked as default, has pictures that follow in time (cover
    art of a song does not) and a decoder; else the first of those not marked. Nothing but the
    file is opened, whatever it names.

    Raises
    ------
    EpoxyError
        If the path is no readable file, if FFmpeg does not know the format, or if there is no
        video stream in it that can be decoded.
    """
    import av

    check_readable(path)
    try:
        container = av.open(
            f"file:{path.absolute()}",
            metadata_errors="replace",
            options={"protocol_whitelist": "file"},
        )
    except av.FFmpegError as error:
        raise _unknown(path, error) from None
    with container:
        kind = container.format.name
        names = set(kind.split(","))
        if kind.endswith("_pipe") or names & _STILLS:
            raise _not_a_video(path, sniff(path) or f"a still picture ({kind})")
        if names & _LISTS:
            raise _not_a_video(path, sniff(path) or f"a list of other files ({kind})")
        yield container, _choose(path, container)


def check_readable(path: Path) -> None:
    """Refuse what is not a file with bytes in it that this process may read.

    Raises
    ------
    EpoxyError
        For a missing file, a link to nothing, a folder, a device, a file without permission to
        read it, or an empty one.
    """
    where = str(path)
    if path.is_symlink() and not path.exists():
        raise EpoxyError(
            f"a link to a file that is not there: {os.readlink(path)}",
            where=where,
            remedy="Put the video there, or correct the link.",
        )
    if not path.exists():
        raise EpoxyError("no such file", where=where, remedy="Correct source.paths.")
    if path.is_dir():
        raise EpoxyError(
            "a folder where a video should be",
            where=where,
            remedy="Name the folder itself, or its files with a glob, in source.paths.",
        )
    if not path.is_file():
        raise EpoxyError("not a regular file", where=where, remedy=LEAVE_OUT)
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise EpoxyError(
            f"the file cannot be read: {error.strerror}",
            where=where,
            remedy="Check its permissions and its disk.",
        ) from None
    if empty:
        raise EpoxyError("the file is empty (0 bytes)", where=where, remedy=COPY_AGAIN)


def sniff(path: Path) -> str | None:
    """Name what the file is by its first bytes, if it is no video; None when unknown."""
    with path.open("rb") as stream:
        head = stream.read(1024)
    if head[8:12] == b"WEBP":
        return "a WebP picture"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8")
    if not all(sign.isprintable() or sign in "\t\r\n\ufeff" for sign in text):
        return None
    return "a web page" if "<html" in text.lower() else "text"


def _unknown(path: Path, error: Exception) -> EpoxyError:
    what = sniff(path)
    if what is not None:
        return _not_a_video(path, what)
    with path.open("rb") as stream:
        head = stream.read(12)
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"free", b"wide"}:
        return EpoxyError(
            "an MP4 or MOV file without a usable index (moov): it was cut off or never finished",
            where=str(path),
            remedy=COPY_AGAIN,
        )
    reason = getattr(error, "strerror", None) or str(error)
    return EpoxyError(
        f"not a video that FFmpeg can open: {reason}", where=str(path), remedy=COPY_AGAIN
    )


def _not_a_video(path: Path, what: str) -> EpoxyError:
    return EpoxyError(f"{what}, not a video", where=str(path), remedy=LEAVE_OUT)


def _choose(path: Path, container: "InputContainer") -> "VideoStream":
    from av.stream import Disposition

    moving = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not moving:
        sound = bool(container.streams.audio)
        cover = " with a cover picture" if container.streams.video else ""
        what = f"sound only{cover}" if sound else "no pictures in it"
        raise EpoxyError(f"{what}, no video stream", where=str(path), remedy=LEAVE_OUT)
    usable = [stream for stream in moving if stream.codec_context is not None]
    if not usable:
        raise EpoxyError(
            "its video codec has no decoder in this FFmpeg",
            where=str(path),
            remedy="Convert it, to H.264 for instance, or leave it out of source.paths.",
        )
    return min(usable, key=lambda stream: not stream.disposition & Disposition.default)
