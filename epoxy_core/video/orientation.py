"""Which way up a frame is to be shown: the display matrix of its container."""

from dataclasses import dataclass
from math import atan2, degrees
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes upright: transposed first, then flipped.

    Attributes
    ----------
    transpose
        Rows and columns change places.
    flip_rows, flip_columns
        Top and bottom, left and right change places, after transposing.
    rotation
        The turn as degrees clockwise (0, 90, 180 or 270); of a mirrored picture, after its left
        and right have changed places.
    """

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False
    rotation: int = 0

    def apply(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Turn a stored picture [h, w, …] upright; contiguous."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)
        if self.flip_rows:
            picture = picture[::-1]
        if self.flip_columns:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(picture)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Size of the upright picture; its own inverse."""
        return (height, width) if self.transpose else (width, height)


UPRIGHT = Orientation()


def orientation(frame: "VideoFrame") -> Orientation:
    """Read a frame's display matrix, to the nearest quarter turn.

    A pixel (x, y) is shown at (a·x + c·y, b·x + d·y) plus a shift (ISO 14496-12, §8.3.2).
    """
    try:
        side_data: Any = frame.side_data
        found = [data for data in side_data if data.type.name == "DISPLAYMATRIX"]
    except ValueError:
        # PyAV knows no name for another kind of side data of this frame.
        return _TURNS[round(-frame.rotation / 90) % 4]
    return from_matrix(np.frombuffer(bytes(found[0]), dtype=np.int32)) if found else UPRIGHT


def from_matrix(matrix: npt.NDArray[np.int32]) -> Orientation:
    """Orientation of a 3 x 3 display matrix, given row by row."""
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if not (a or b or c or d):
        return UPRIGHT
    unmirrored = (b, a) if a * d >= b * c else (-b, -a)
    rotation = round(degrees(atan2(*unmirrored)) / 90) % 4 * 90
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, d < 0, a < 0, rotation)
    return Orientation(True, b < 0, c < 0, rotation)


_TURNS = [
    from_matrix(np.array(matrix, dtype=np.int32))
    for matrix in ([1, 0, 0, 0, 1], [0, 1, 0, -1, 0], [-1, 0, 0, 0, -1], [0, -1, 0, 1, 0])
]
