"""The end model on what is no item: load it, predict, and lay the answers out as rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.end_model import EndModelHead, load_head
from epoxy_core.errors import EpoxyError
from epoxy_core.task import Task

Features = Callable[[pl.DataFrame], npt.NDArray[np.float32]]

AT_ONCE = 8_192
"""Rows whose features are in memory together."""


@dataclass(frozen=True)
class EndModel:
    """A trained end model, ready for texts or stretches of video.

    Attributes
    ----------
    head
        The classifier.
    classes
        Names of its K classes.
    features
        n rows to float32 [n, d], vectors like those it was trained on.
    """

    head: EndModelHead
    classes: list[str]
    features: Features

    def predict(self, rows: pl.DataFrame, content: str) -> Iterator[pl.DataFrame]:
        """Predict rows in order; of several with equal content one is embedded, once per part.

        Parameters
        ----------
        rows
            What ``features`` reads.
        content
            The column that says which rows are equal.

        Yields
        ------
        label (String), confidence (Float64), probabilities (List of Float64 [K]); up to `AT_ONCE`
        rows at a time.

        Raises
        ------
        EpoxyError
            If the vectors are not of the length that the head was trained on.
        """
        names = np.array(self.classes, dtype=object)
        for first in range(0, rows.height, AT_ONCE):
            part = rows.slice(first, AT_ONCE)
            distinct = part.unique(content, keep="first", maintain_order=True)
            vectors = self.features(distinct)
            if vectors.shape[1] != self.head.dimension:
                raise EpoxyError(
                    f"trained on vectors of {self.head.dimension} numbers, not of "
                    f"{vectors.shape[1]}",
                    where="end model",
                    remedy="`epoxy run TASK` trains it anew for what task.yaml asks for now.",
                )
            found = self.head.predict_proba(vectors)
            which = part[content].replace_strict(
                distinct[content], np.arange(distinct.height), return_dtype=pl.Int64
            )
            probabilities = found[which.to_numpy()]
            yield pl.DataFrame(
                {
                    "label": pl.Series(names[probabilities.argmax(axis=1)], dtype=pl.String),
                    "confidence": probabilities.max(axis=1),
                    "probabilities": pl.Series(
                        probabilities, dtype=pl.Array(pl.Float64, len(names))
                    ).cast(pl.List(pl.Float64)),
                }
            )


def load_end_model(
    task: Task, path: Path, vectors: Callable[[], str]
) -> tuple[EndModelHead, list[str]]:
    """Read a task's end model and the names of its classes.

    Parameters
    ----------
    task
        Its classes must be the model's.
    path
        The saved head.
    vectors
        Gives the fingerprint of the features in use; called when there is an end model.

    Raises
    ------
    EpoxyError
        If there is none, it cannot be read, or it was trained for other classes or on another
        encoder's vectors.
    """
    if task.end_model is None:
        raise EpoxyError(
            "the task has no end model: end_model is null",
            where=str(task.folder / "task.yaml"),
            remedy="Remove end_model: null, then `epoxy run` the task.",
        )
    if not path.exists():
        raise EpoxyError(
            "no end model yet", where=str(path), remedy="`epoxy run TASK` trains and saves it."
        )
    wanted = vectors()
    try:
        head, classes = load_head(path, encoder=wanted)
    except EpoxyError as error:
        raise EpoxyError(
            error.problem,
            where=error.where,
            remedy="Remove it: `epoxy run TASK` trains one for what task.yaml asks for now.",
        ) from error
    if classes != task.classes:
        raise EpoxyError(
            f"trained for the classes {', '.join(classes)}; the task's are "
            f"{', '.join(task.classes)}",
            where=str(path),
            remedy="`epoxy run TASK` trains it anew.",
        )
    return head, classes
