"""What an edit did to a session, and how long it took."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.combine import Combined
from epoxy_core.lf_accuracy import LFAccuracy


@dataclass(frozen=True)
class Update:
    """What one edit did.

    Attributes
    ----------
    voted
        LFs that were run, because they are new or edited.
    changed
        Those of them whose votes are others than before.
    extended
        LFs whose extended votes were made again.
    removed
        LFs that are gone.
    refused
        LFs that raised too often, with what they raised; their last good votes stay.
    table
        The LF table (columns of ``lf_summary``); without estimated accuracies while there are none.
    accuracy
        How right each LF is; None: not estimated yet (`Session.estimated`).
    combined
        Probabilities of every item, and what was learned of every LF; the same object as before
        if nothing that they depend on changed.
    labels_before, labels
        int8 [n]: class of every item before and after the edit, −1 for none.
    seconds
        Wall time by stage.
    """

    voted: tuple[str, ...]
    changed: tuple[str, ...]
    extended: tuple[str, ...]
    removed: tuple[str, ...]
    refused: dict[str, str]
    table: pl.DataFrame
    accuracy: LFAccuracy | None
    combined: Combined
    labels_before: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int8]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def flipped(self) -> npt.NDArray[np.bool_]:
        """Items whose label is another than before the edit, bool [n]."""
        return np.asarray(self.labels != self.labels_before)


class Clock:
    """Adds up wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        """Add the time since the last lap to a stage."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
