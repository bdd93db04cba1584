"""Vectors of items from the vectors of their frames."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Block = tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]


class Pool:
    """Means of unit vectors, of length 1 again, as frames come in.

    Only items that still wait for a frame, or to be taken, occupy memory.

    Parameters
    ----------
    frames
        How many frames every item waits for, at least 1.
    """

    def __init__(self, frames: Sequence[int]) -> None:
        self._missing = list(frames)
        self._sums: dict[int, npt.NDArray[np.float32]] = {}
        self._finished: list[int] = []

    @property
    def finished(self) -> int:
        """Items that can be taken."""
        return len(self._finished)

    def add(self, rows: Sequence[int], vector: npt.NDArray[np.float32]) -> None:
        """Add a frame's unit vector to the items it is part of."""
        for row in rows:
            known = self._sums.get(row)
            self._sums[row] = vector if known is None else known + vector
            self._missing[row] -= 1
            if self._missing[row] == 0:
                self._finished.append(row)

    def take(self) -> Iterator[Block]:
        """Give the finished items in one block, or nothing."""
        if not self._finished:
            return
        rows, self._finished = self._finished, []
        sums = np.stack([self._sums.pop(row) for row in rows])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        yield np.array(rows, dtype=np.intp), sums / np.maximum(lengths, np.finfo(np.float32).tiny)
