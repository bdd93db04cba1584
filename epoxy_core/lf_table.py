"""The LF table: what every user of labeling functions looks at first."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.labeling.summary import SCHEMA, summarise
from epoxy_core.lf_accuracy import BY_LF, dev_figures
from epoxy_core.task import Task

_SCHEMA = SCHEMA | {
    "dev_low": pl.Float64,
    "dev_high": pl.Float64,
    "extended_coverage": pl.Float64,
    "threshold": pl.Float64,
    "n_errors": pl.Int64,
    "fingerprint": pl.String,
    "source": pl.String,
    **{name: dtype for name, dtype in BY_LF.items() if name != "lf"},
}


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
    unique = unique_votes(own, None, task.n_classes)
    n_counted = np.count_nonzero(counted != ABSTAIN, axis=0)
    return lf_rows(task, lfs, unique, n_counted, thresholds, gold, n_errors, estimates)


def lf_rows(
    task: Task,
    lfs: Sequence[LabelingFunction],
    own: UniqueVotes,
    n_counted: npt.NDArray[np.integer],
    thresholds: npt.NDArray[np.float64],
    gold: npt.NDArray[np.int8],
    n_errors: Mapping[str, int],
    estimates: pl.DataFrame | None,
) -> pl.DataFrame:
    """`lf_table` from the distinct rows of own votes.

    Parameters
    ----------
    own
        The distinct rows.
    n_counted
        int [m], own votes, and the borrowed ones that count.
    task, lfs, thresholds, gold, n_errors, estimates
        As in ``lf_table``.
    """
    names, known = [lf.name for lf in lfs], np.flatnonzero(gold >= 0)
    held = own.patterns[own.inverse[known]]
    columns = summarise(own.patterns, own.counts, names, task.classes, held, gold[known])
    dev = zip(columns["dev_correct"].tolist(), columns["dev_votes"].tolist(), strict=True)
    ends = [dev_figures(*row) for row in dev]
    n = max(len(own.inverse), 1)
    columns |= {
        "dev_low": [end["dev_low"] for end in ends],
        "dev_high": [end["dev_high"] for end in ends],
        "extended_coverage": n_counted / n,
        "threshold": thresholds,
        "n_errors": [n_errors.get(name, 0) for name in names],
        "fingerprint": [lf.code_version for lf in lfs],
        "source": [str(lf.location) for lf in lfs],
    }
    made = {} if estimates is None else {row["lf"]: row for row in estimates.to_dicts()}
    columns |= {name: [made.get(lf, {}).get(name) for lf in names] for name in list(BY_LF)[1:]}
    return pl.DataFrame(columns, schema=_SCHEMA)


def interval(low: float | None, high: float | None) -> str:
    """Ends of an interval of shares in percent, as `` 71–85``; nothing where there is none."""
    return "" if low is None or high is None else f" {100 * low:.0f}–{100 * high:.0f}"


def with_estimates(table: pl.DataFrame, estimates: pl.DataFrame) -> pl.DataFrame:
    """The LF table with these estimates (`LFAccuracy.by_lf`), null of LFs that are not in them."""
    rest = table.drop(list(BY_LF)[1:], strict=False)
    return rest.join(estimates.select(*BY_LF), on="lf", how="left", maintain_order="left")
