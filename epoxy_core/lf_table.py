"""The LF table: what every user of labeling functions looks at first."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling import ABSTAIN, LabelingFunction, lf_summary
from epoxy_core.task import Task


def lf_table(
    task: Task,
    lfs: Sequence[LabelingFunction],
    own: npt.NDArray[np.int8],
    counted: npt.NDArray[np.int8],
    accuracy: npt.NDArray[np.float64],
    thresholds: npt.NDArray[np.float64],
    gold: npt.NDArray[np.int8],
    n_errors: Mapping[str, int],
) -> pl.DataFrame:
    """Rows of the ``lf_summary`` table, in the order of ``lfs``.

    Parameters
    ----------
    task
        Names the classes.
    lfs
        m labeling functions.
    own, counted
        int8 [n, m]: own votes; and with the borrowed ones that count.
    accuracy, thresholds
        float64 [m], by the label model.
    gold
        int8 [n], the class of dev items, −1 elsewhere.
    n_errors
        By LF, on how many items it raised.
    """
    names = [lf.name for lf in lfs]
    return lf_summary(own, names, task.classes, gold).with_columns(
        extended_coverage=pl.Series((counted != ABSTAIN).mean(axis=0)),
        threshold=pl.Series(thresholds),
        estimated_accuracy=pl.Series(accuracy),
        n_errors=pl.Series([n_errors.get(name, 0) for name in names], dtype=pl.Int64),
        fingerprint=pl.Series([lf.code_version for lf in lfs], dtype=pl.String),
        source=pl.Series([str(lf.location) for lf in lfs], dtype=pl.String),
    )
