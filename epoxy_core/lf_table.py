"""The LF table: what every user of labeling functions looks at first."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling import ABSTAIN, LabelingFunction, lf_summary
from epoxy_core.lf_accuracy import BY_LF, dev_figures
from epoxy_core.task import Task


def lf_table(
    task: Task,
    lfs: Sequence[LabelingFunction],
    own: npt.NDArray[np.int8],
    counted: npt.NDArray[np.int8],
    thresholds: npt.NDArray[np.float64],
    gold: npt.NDArray[np.int8],
    n_errors: Mapping[str, int],
    estimates: pl.DataFrame | None,
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
    thresholds
        float64 [m], by the label model.
    gold
        int8 [n], the class of dev items, −1 elsewhere.
    n_errors
        By LF, on how many items it raised.
    estimates
        `LFAccuracy.by_lf`; None if they are not made yet: their columns are null then.
    """
    names = [lf.name for lf in lfs]
    counts = lf_summary(own, names, task.classes, gold)
    dev = counts.select("dev_correct", "dev_votes").iter_rows()
    ends = [(found["dev_low"], found["dev_high"]) for found in (dev_figures(*row) for row in dev)]
    table = counts.with_columns(
        pl.DataFrame(ends, schema={"dev_low": pl.Float64, "dev_high": pl.Float64}, orient="row"),
        extended_coverage=pl.Series((counted != ABSTAIN).mean(axis=0)),
        threshold=pl.Series(thresholds),
        n_errors=pl.Series([n_errors.get(name, 0) for name in names], dtype=pl.Int64),
        fingerprint=pl.Series([lf.code_version for lf in lfs], dtype=pl.String),
        source=pl.Series([str(lf.location) for lf in lfs], dtype=pl.String),
    )
    return with_estimates(table, pl.DataFrame(schema=BY_LF) if estimates is None else estimates)


def interval(low: float | None, high: float | None) -> str:
    """Ends of an interval of shares in percent, as `` 71–85``; nothing where there is none."""
    return "" if low is None or high is None else f" {100 * low:.0f}–{100 * high:.0f}"


def with_estimates(table: pl.DataFrame, estimates: pl.DataFrame) -> pl.DataFrame:
    """The LF table with these estimates (`LFAccuracy.by_lf`), null of LFs that are not in them."""
    rest = table.drop(list(BY_LF)[1:], strict=False)
    return rest.join(estimates.select(*BY_LF), on="lf", how="left", maintain_order="left")
