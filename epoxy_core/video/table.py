"""From stretches of a video to a frame of items with measures."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.video.measures import MEASURES, Measured, measure
from epoxy_core.video.stretches import Sample, Stretch

# Pictures are measured this many at a time.
_BATCH = 32
_FLAGS = ("black", "flat")

SCHEMA: dict[str, pl.DataType] = {
    "start": pl.Float64(),
    "end": pl.Float64(),
    "time": pl.Float64(),
    "frame": pl.Int64(),
    "frames": pl.List(pl.Int64),
    **{name: pl.Float32() for name in MEASURES if name not in {*_FLAGS, "colors"}},
    **{name: pl.Boolean() for name in _FLAGS},
    "colors": pl.List(pl.Float32),
    "shot": pl.Int64(),
    "shot_seconds": pl.Float32(),
    "shot_position": pl.Float32(),
    "text": pl.String(),
    "thumbnail": pl.Binary(),
}


class ItemTable:
    """Collects items; keeps the figures and thumbnails of finished ones, never their pictures."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float, float, int, list[int], float, bytes]] = []
        self._pending: list[list[npt.NDArray[np.uint8]]] = []
        self._waiting = 0
        self._measured: list[Measured] = []

    def add(self, item: Stretch) -> None:
        """Take the next item of the video."""
        middle: Sample = item.samples[len(item.samples) // 2]
        numbers = [sample.number for sample in item.samples]
        self._spans.append(
            (
                item.start,
                item.end,
                middle.time,
                middle.number,
                numbers,
                item.motion,
                middle.thumbnail,
            )
        )
        self._pending.append([sample.picture for sample in item.samples])
        self._waiting += len(numbers)
        if self._waiting >= _BATCH:
            self._measure()

    def finish(self, shots: list[tuple[int, float]], end: float) -> pl.DataFrame:
        """Give the items, in order of time; without the column ``text``.

        Parameters
        ----------
        shots
            Number and time of the first frame of every shot.
        end
            Where the last shot ends, seconds.
        """
        self._measure()
        start, stop, time, frame, frames, motion, thumbnail = zip(*self._spans, strict=True)
        columns: dict[str, Any] = {
            name: np.concatenate([part[name] for part in self._measured])
            for name in self._measured[0]
        }
        first, begins = (np.array(values) for values in zip(*shots, strict=True))
        shot = np.searchsorted(first, np.array(frame), side="right") - 1
        length = np.diff(begins, append=end)[shot]
        position = (np.array(time) - begins[shot]) / np.where(length > 0, length, 1.0)
        columns |= {"start": start, "end": stop, "time": time, "frame": frame, "frames": frames}
        columns |= {"motion": motion, "thumbnail": thumbnail, "shot": shot}
        columns |= {"shot_seconds": length, "shot_position": position.clip(0, 1)}
        items = pl.DataFrame(columns)
        return items.select(
            pl.col(name).cast(dtype) for name, dtype in SCHEMA.items() if name in items.columns
        )

    def _measure(self) -> None:
        if not self._pending:
            return
        counts = np.array([len(pictures) for pictures in self._pending])
        firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        pictures = [picture for item in self._pending for picture in item]
        parts = [
            measure(np.stack(pictures[i : i + _BATCH])) for i in range(0, len(pictures), _BATCH)
        ]
        averaged: Measured = {}
        for name in parts[0]:
            values = np.concatenate([part[name] for part in parts])
            if name in _FLAGS:
                averaged[name] = np.logical_and.reduceat(values, firsts)
            else:
                total = np.add.reduceat(values.astype(np.float64), firsts, axis=0)
                averaged[name] = (total.T / counts).T.astype(np.float32)
        self._measured.append(averaged)
        self._pending, self._waiting = [], 0
