"""Sets of video frames: votes only, one row per frame, in order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.quality.sets import FORMAT, FRAMES
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import ABSTAIN

Votes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class FrameSet:
    """Consecutive frames: int8 votes [n, m] without labels, and [q, m] with classes [q]."""

    name: str
    votes: Votes
    labelled: Votes
    gold: Votes


def load_frames(folder: Path) -> FrameSet:
    """Read and check a set of video frames; −1 and +1 become the classes 0 and 1.

    Raises
    ------
    EpoxyError
        Naming the file that is at fault.
    """
    arrays = []
    for name, known in zip(FRAMES, ((-1, 0, 1), (-1, 0, 1), (-1, 1)), strict=True):
        file = folder / name
        try:
            values = np.load(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise EpoxyError(f"cannot be read ({error})", where=str(file), remedy=FORMAT) from error
        if not np.isin(values, known).all() or values.ndim != (1 if 0 not in known else 2):
            raise EpoxyError(
                f"expected {'votes' if 0 in known else 'classes'} {known}, one row per frame",
                where=str(file),
                remedy=FORMAT,
            )
        arrays.append(values)
    votes, labelled, gold = arrays
    if votes.shape[1] != labelled.shape[1] or len(labelled) != len(gold):
        raise EpoxyError(
            f"shapes {votes.shape}, {labelled.shape}, {gold.shape} do not match",
            where=str(folder),
            remedy="Give as many votes per frame in both, and a class for every labelled frame.",
        )
    classes = [((array + 1) // 2).astype(np.int8) for array in (votes, labelled, gold)]
    for array, original in zip(classes, arrays, strict=True):
        array[original == 0] = ABSTAIN
    return FrameSet(folder.resolve().name, *classes)
