"""The end model on texts that are no items: load it, predict, and lay the answers out as rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.end_model import EndModelHead, load_head
from epoxy_core.errors import EpoxyError
from epoxy_core.task import Task

Features = Callable[[Sequence[str]], npt.NDArray[np.float32]]

AT_ONCE = 8_192
"""Texts whose features are in memory together."""


@dataclass(frozen=True)
class EndModel:
    """A trained end model, ready for texts.

    Attributes
    ----------
    head
        The classifier.
    classes
        Names of its K classes.
    features
        n texts to float32 [n, d], the vectors it was trained on.
    """

    head: EndModelHead
    classes: list[str]
    features: Features

    def predict(self, texts: pl.Series) -> Iterator[pl.DataFrame]:
        """Predict texts in order; one of several equal texts is embedded once per part.

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
        for first in range(0, len(texts), AT_ONCE):
            part = texts.slice(first, AT_ONCE)
            distinct = part.unique(maintain_order=True)
            vectors = self.features(distinct.to_list())
            if vectors.shape[1] != self.head.dimension:
                raise EpoxyError(
                    f"trained on vectors of {self.head.dimension} numbers, not of "
                    f"{vectors.shape[1]}",
                    where="end model",
                    remedy="`epoxy run TASK` trains it anew for what task.yaml asks for now.",
                )
            found = self.head.predict_proba(vectors)
            rows = part.replace_strict(
                distinct, np.arange(len(distinct)), return_dtype=pl.Int64
            ).to_numpy()
            probabilities = found[rows]
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
