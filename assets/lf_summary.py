"""``lf_summary``: the table every user of labeling functions looks at first."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LABELS, key, lf_key, placed, pool
from assets.metadata import picture, schema, table
from assets.plots import coverage_bars
from assets.store import Store
from assets.versions import code_version, data_version
from assets.votes import vote_matrices
from epoxy_core.labeling import ABSTAIN, LabelingFunction, lf_summary
from epoxy_core.task import Task


def lf_summary_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Coverage, overlaps, conflicts and accuracy of every labeling function."""
    names = [lf.name for lf in lfs]

    @dg.asset(
        key=key(task, "lf_summary"),
        deps=[
            *(lf_key(task, name) for name in names),
            key(task, "label_model"),
            key(task, "dev_labels"),
        ],
        description="Polarity, coverage, overlaps, conflicts, and accuracy: estimated by the "
        "label model without labels, and counted on the dev labels.",
        code_version=code_version(__file__, "labeling/summary.py", settings=task.classes),
        metadata=schema("lf_summary"),
        pool=pool(task),
        **placed(task, LABELS, "polars", "duckdb"),
    )
    def summary(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        votes = vote_matrices(database, names)
        learned = database.query("SELECT lf, estimated_accuracy, threshold FROM label_model")
        errors = database.query("SELECT lf, max(n_errors) AS n_errors FROM lf_errors GROUP BY lf")
        thresholds = dict(learned.select("lf", "threshold").iter_rows())
        least = np.array([thresholds[name] for name in names])
        counted = (votes.extended != ABSTAIN) & (
            (votes.own != ABSTAIN) | (votes.similarity >= least)
        )
        rows = (
            lf_summary(votes.own, names, task.classes, database.labels_by_row("dev"))
            .with_columns(
                extended_coverage=pl.Series(counted.mean(axis=0)),
                fingerprint=pl.Series([lf.code_version for lf in lfs]),
                source=pl.Series([str(lf.location) for lf in lfs]),
            )
            .join(learned, on="lf", how="left", maintain_order="left")
            .join(errors, on="lf", how="left", maintain_order="left")
            .with_columns(pl.col("n_errors").fill_null(0))
        )
        database.replace("lf_summary", rows)
        shown = ("lf", "polarity", "coverage", "extended_coverage", "overlaps", "conflicts")
        return dg.MaterializeResult(
            data_version=data_version(rows),
            metadata={
                "dagster/row_count": rows.height,
                "table": table(
                    rows.select(*shown, "estimated_accuracy", "dev_votes", "dev_accuracy")
                ),
                "coverage": picture(coverage_bars(rows)),
            },
        )

    return summary
