"""``lf_summary``: the LF table as an asset."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LABELS, key, lf_key, placed, pool
from assets.lineage import lf_summary_lineage
from assets.metadata import picture, schema, table
from assets.plots import coverage_bars
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.lf_table import lf_table
from epoxy_core.storage.database import Database
from epoxy_core.storage.votes import extended_votes
from epoxy_core.task import Task

SHOWN = (
    "lf",
    "polarity",
    "coverage",
    "extended_coverage",
    "overlaps",
    "conflicts",
    "estimated_accuracy",
    "accuracy_low",
    "accuracy_high",
    "dev_votes",
    "dev_accuracy",
    "dev_low",
    "dev_high",
)


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
        code_version=code_version(
            __file__,
            "labeling/summary.py",
            "labeling/symbols.py",
            "label_model/dev_votes.py",
            "label_model/kernels.py",
            "label_model/patterns.py",
            "label_model/unique_votes.py",
            "lf_accuracy.py",
            "lf_table.py",
            settings=task.classes,
        ),
        metadata=schema("lf_summary", lf_summary_lineage(task, names)),
        pool=pool(task),
        **placed(task, LABELS, "polars", "duckdb"),
    )
    def lf_summary(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        votes, source, similarity, _ = extended_votes(database, names)
        own = source == np.arange(len(votes))[:, None]
        learned = pl.DataFrame({"lf": names}).join(
            database.query("SELECT * FROM label_model"),
            on="lf",
            how="left",
            maintain_order="left",
        )
        thresholds = learned["threshold"].to_numpy()
        errors = database.query("SELECT lf, max(n_errors) AS n FROM lf_errors GROUP BY lf")
        rows = lf_table(
            task,
            lfs,
            own=np.where(own, votes, np.int8(ABSTAIN)),
            counted=np.where(own | (similarity >= thresholds), votes, np.int8(ABSTAIN)),
            thresholds=thresholds,
            gold=database.labels_by_row("dev"),
            n_errors=dict(errors.iter_rows()),
            estimates=learned,
        )
        return publish_summary(task, database, rows)

    return lf_summary


def publish_summary(task: Task, database: Database, rows: pl.DataFrame) -> dg.MaterializeResult:
    """Store the LF table."""
    database.replace("lf_summary", rows)
    return dg.MaterializeResult(
        asset_key=key(task, "lf_summary"),
        data_version=data_version(rows),
        metadata={
            "dagster/row_count": rows.height,
            **_means(rows),
            "errors": int(rows["n_errors"].sum()),
            "table": table(rows.select(SHOWN)),
            "coverage": picture(coverage_bars(rows)),
        },
    )


def _means(rows: pl.DataFrame) -> dict[str, float]:
    """Means over the labeling functions that have a value, to be followed over time."""
    columns = ("coverage", "conflicts", "estimated_accuracy", "dev_accuracy")
    means = rows.select(columns).mean().row(0, named=True)
    return {f"mean_{name}": mean for name, mean in means.items() if mean is not None}
