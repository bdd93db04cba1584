"""Rows of the ``predictions`` table."""

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.label_model import hard_labels
from epoxy_core.labeling import ABSTAIN
from epoxy_core.storage.published import names_of
from epoxy_core.task import Task


def prediction_rows(
    task: Task,
    stage: str,
    item_ids: pl.Series,
    probabilities: npt.NDArray[np.float64],
    covered: npt.NDArray[np.bool_] | None = None,
) -> pl.DataFrame:
    """One stage's opinion of every item.

    Parameters
    ----------
    task
        Names the classes.
    stage
        Which stage.
    item_ids
        String [n].
    probabilities
        float64 [n, K].
    covered
        bool [n]: items the stage has evidence on; the others get no label. All, when absent.
    """
    label = hard_labels(probabilities)
    if covered is not None:
        label = np.where(covered, label, np.int8(ABSTAIN))
    stored = probabilities.astype(np.float32)
    return pl.DataFrame(
        {
            "item_id": item_ids,
            "stage": pl.repeat(stage, len(item_ids), dtype=pl.String, eager=True),
            "label": names_of(task.classes, label),
            "confidence": stored.max(axis=1) if len(stored) else np.empty(0, np.float32),
            "probabilities": pl.Series(stored, dtype=pl.Array(pl.Float32, task.n_classes)).cast(
                pl.List(pl.Float32)
            ),
        }
    )


def probability_matrix(column: pl.Series, n_classes: int) -> npt.NDArray[np.float64]:
    """A column of probabilities as float64 [n, K]; zeros where it is null."""
    filled = column.fill_null([0.0] * n_classes)
    values = filled.explode(empty_as_null=False).cast(pl.Float64).to_numpy()
    return values.reshape(-1, n_classes)
