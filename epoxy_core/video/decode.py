"""Frames of a video in the order they are shown, whatever is damaged in between."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from epoxy_core.video.container import open_video
from epoxy_core.video.pictures import Scaler

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Decoders that notice damage when asked to be strict; what others make of it with several
# threads may differ from run to run.
_STRICT = frozenset(
    {"av1", "dnxhd", "ffv1", "h264", "hevc", "libdav1d", "mjpeg", "mpeg1video", "mpeg2video"}
    | {"mpeg4", "prores", "vp9"}
)
# A frame may be shown before the damaged one that it was predicted from.
_HELD = 4


class _DamagedError(Exception):
    """The threaded pass met something that only one thread decodes the same way every time."""


class FrameReader:
    """Decodes the video stream of a file, once.

    Intact files are decoded by several threads. From the first sign of damage on, the file is
    decoded again by one thread, which conceals errors in the same way every time, and the frames
    already delivered are left out: the same file gives the same frames in every run.

    Attributes
    ----------
    damaged
        Packets that could not be decoded and frames that the decoder says are not whole.
    concealed
        Whether a strict decoder objected to something, which may have left no other trace.
    broken
        Why reading the file stopped before its end; None if it did not.
    last_packet
        Latest end of any packet of picture or sound, seconds on the container's clock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.concealed = False
        self.broken: str | None = None
        self.last_packet = 0.0

    def __iter__(self) -> Iterator["VideoFrame"]:
        delivered = 0
        with open_video(self.path) as (container, stream):
            if stream.codec_context.name in _STRICT:
                held: deque[VideoFrame] = deque()
                try:
                    for frame in self._strictly(container, stream):
                        held.append(frame)
                        if len(held) > _HELD:
                            delivered += 1
                            yield held.popleft()
                except _DamagedError:
                    held.clear()
                else:
                    yield from held
                    return
        self.broken, self.last_packet = None, 0.0
        with open_video(self.path) as (container, stream):
            yield from islice(self._leniently(container, stream), delivered, None)

    def _strictly(
        self, container: "InputContainer", stream: "VideoStream"
    ) -> Iterator["VideoFrame"]:
        from av import FFmpegError

        stream.thread_type = "AUTO"
        stream.codec_context.options = {"err_detect": "explode"}
        expected = 0
        for packet in self._packets(container, stream):
            expected += packet.size > 0 and not packet.is_discard
            try:
                frames = stream.decode(packet)
            except FFmpegError:
                self.concealed = True
                raise _DamagedError from None
            for frame in frames:
                if frame.is_corrupt:
                    self.concealed = True
                    raise _DamagedError
                expected -= 1
                yield frame
        # What goes wrong while the threads are emptied at the end is not reported.
        if expected > 0:
            raise _DamagedError

    def _leniently(
        self, container: "InputContainer", stream: "VideoStream"
    ) -> Iterator["VideoFrame"]:
        from av import FFmpegError

        stream.thread_count = 1
        for packet in self._packets(container, stream):
            try:
                frames = stream.decode(packet)
            except FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                self.damaged += frame.is_corrupt
                yield frame

    def _packets(
        self, container: "InputContainer", stream: "VideoStream"
    ) -> Iterator["Packet[Any]"]:
        """Packets of the video stream, the last one empty, which flushes the decoder."""
        from av import FFmpegError
        from av.packet import Packet

        try:
            for packet in container.demux(stream, *container.streams.audio):
                if packet.pts is not None and packet.time_base is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    self.last_packet = max(self.last_packet, end)
                if packet.stream_index == stream.index and packet.size:
                    yield packet
        except FFmpegError as error:
            self.broken = error.strerror or str(error)
        flush: Packet[Any] = Packet()
        if stream.time_base is not None:
            flush.time_base = stream.time_base
        yield flush


def read_frames(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Decode some frames of a video, full size and upright.

    Every frame up to the last one asked for is decoded, only those asked for become pictures:
    frame numbers are counted, never guessed from times.

    Parameters
    ----------
    path
        The video.
    numbers
        Numbers of frames in the order they are shown, from 0; as `scan_video` gives them. Any
        order; repeats count once.

    Yields
    ------
    (int, uint8 [h, w, 3])
        A number and its picture, red first, in ascending order. Ends early where decoding ends.

    Raises
    ------
    EpoxyError
        If the file cannot be opened as a video.
    """
    wanted = iter(sorted(set(numbers)))
    number = next(wanted, None)
    if number is None:
        return
    scaler = Scaler()
    for position, frame in enumerate(FrameReader(path)):
        if position == number:
            yield number, scaler.full(frame)
            number = next(wanted, None)
            if number is None:
                return
