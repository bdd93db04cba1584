"""What a video item's vector is made of, and decoding it."""

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epoxy_core.embed.pixels import Pixels
from epoxy_core.errors import EpoxyError
from epoxy_core.video import read_frames

Wanted = dict[Path, dict[int, list[int]]]


@dataclass(frozen=True)
class FrameContent:
    """Frames of one video, by their number in the order they are shown, from 0."""

    path: Path
    frames: tuple[int, ...]


@dataclass(frozen=True)
class Picture:
    """A frame at the model's size, and the items it is part of.

    Attributes
    ----------
    pixels
        uint8 [height, width, 3].
    rows
        Positions of the items.
    last
        Whether it is the last one of its video.
    """

    path: Path
    number: int
    pixels: npt.NDArray[np.uint8]
    rows: list[int]
    last: bool


def wanted_frames(contents: Sequence[FrameContent]) -> tuple[Wanted, list[int]]:
    """Group items by what has to be decoded.

    Returns
    -------
    wanted
        By video, in order of its first item, and frame number: positions in ``contents``.
    frames
        How many different frames every item has.

    Raises
    ------
    EpoxyError
        If an item has none.
    """
    wanted: Wanted = defaultdict(lambda: defaultdict(list))
    frames = []
    for row, content in enumerate(contents):
        numbers = set(content.frames)
        if not numbers:
            raise EpoxyError(
                f"item {row} has no frames", where=str(content.path), remedy="Scan the video again."
            )
        frames.append(len(numbers))
        for number in numbers:
            wanted[content.path][number].append(row)
    return wanted, frames


def decoded(wanted: Wanted, pixels: Pixels) -> Generator[Picture, None, None]:
    """Decode every video once, from its start to the last frame that is wanted.

    Raises
    ------
    EpoxyError
        If a video cannot be opened, or ends before a frame.
    """
    for path, rows in wanted.items():
        numbers = sorted(rows)
        left = iter(numbers)
        for number, image in read_frames(path, numbers):
            expected = next(left)
            if number != expected:
                raise _changed(path, expected)
            last = number == numbers[-1]
            yield Picture(path, number, pixels.resized(image), rows[number], last)
        if (missing := next(left, None)) is not None:
            raise _changed(path, missing)


def _changed(path: Path, number: int) -> EpoxyError:
    return EpoxyError(
        f"frame {number} cannot be decoded any more",
        where=str(path),
        remedy="The file changed since it was scanned: run again, and it is scanned anew.",
    )
