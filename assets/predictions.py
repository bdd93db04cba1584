"""Rows of the ``predictions`` table."""

import numpy as np
import numpy.typing as npt
import polars as pl

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
    names = np.array(task.classes, dtype=object)
    label = pl.Series("label", names[probabilities.argmax(axis=1)], dtype=pl.String)
    if covered is not None:
        label = label.to_frame().select(pl.when(pl.Series(covered)).then(pl.col("label")))["label"]
    return pl.DataFrame(
        {
            "item_id": item_ids,
            "stage": pl.repeat(stage, len(item_ids), dtype=pl.String, eager=True),
            "label": label,
            "confidence": probabilities.max(axis=1),
            "probabilities": pl.Series(
                probabilities, dtype=pl.Array(pl.Float64, task.n_classes)
            ).cast(pl.List(pl.Float64)),
        }
    )


def probability_matrix(column: pl.Series, n_classes: int) -> npt.NDArray[np.float64]:
    """A column of probabilities as float64 [n, K]; zeros where it is null."""
    filled = column.fill_null([0.0] * n_classes)
    values = filled.explode(empty_as_null=False).cast(pl.Float64).to_numpy()
    return values.reshape(-1, n_classes)
