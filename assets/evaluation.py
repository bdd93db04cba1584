"""``evaluation``: every stage against the hand labels; the only reader of the test labels."""

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import TRAINING, key, placed, pool
from assets.lineage import evaluation_lineage
from assets.metadata import picture, schema, table
from assets.plots import stage_bars
from assets.predictions import probability_matrix
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.evaluation import Score, calibration_error, score
from epoxy_core.storage.database import Database
from epoxy_core.task import Task

SCHEMA = {
    "stage": pl.String,
    "split": pl.String,
    "metric": pl.String,
    "class": pl.String,
    "value": pl.Float64,
    "n_items": pl.Int64,
}


def evaluation_asset(task: Task) -> dg.AssetsDefinition:
    """Accuracy and F1 of every stage, from majority vote to end model."""
    last = "end_model" if task.end_model else "refined_labels"

    @dg.asset(
        key=key(task, "evaluation"),
        deps=[
            key(task, "label_model"),
            key(task, last),
            key(task, "dev_labels"),
            key(task, "test_labels"),
        ],
        description="Every stage against the dev and the held-out labels. Nothing else reads the "
        "latter. Ties and items without a vote count as a fraction.",
        code_version=code_version(__file__, "evaluation.py", settings=task.classes),
        metadata=schema("evaluation", evaluation_lineage(task, ("dev", "test"))),
        pool=pool(task),
        **placed(task, TRAINING, "numpy", "duckdb"),
    )
    def evaluation(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        rows = _scores(task, database)
        database.replace("evaluation", rows)
        accuracy = rows.filter(pl.col("metric") == "accuracy")
        return dg.MaterializeResult(
            data_version=data_version(rows),
            metadata={
                "dagster/row_count": rows.height,
                "accuracy": table(accuracy.pivot("split", index="stage", values="value")),
                "stages": picture(stage_bars(accuracy)),
                **{
                    f"{stage}_{split}_{metric}": value
                    for stage, split, metric, value in rows.filter(
                        pl.col("metric").is_in(("accuracy", "macro_f1", "calibration_error"))
                    )
                    .select("stage", "split", "metric", "value")
                    .iter_rows()
                },
            },
        )

    return evaluation


def scored(
    task: Task, database: Database, stage: str, split: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities [g, K], gold classes [g] and coverage [g] of one stage on one split."""
    rows = database.query(
        f"SELECT p.probabilities, p.label IS NOT NULL AS covered, g.label AS gold"
        f" FROM predictions p JOIN {split}_labels g USING (item_id)"
        " WHERE p.stage = ? ORDER BY p.item_id",
        [stage],
    )
    return (
        probability_matrix(rows["probabilities"], task.n_classes),
        rows["gold"].to_numpy(),
        rows["covered"].to_numpy(),
    )


def _scores(task: Task, database: Database) -> pl.DataFrame:
    rows: list[tuple[str, str, str, str | None, float, int]] = []
    stages = ["majority_vote", "label_model", "extended_votes", "refined"]
    stages += ["end_model"] if task.end_model else []
    for stage in stages:
        for split in ("dev", "test"):
            probabilities, gold, covered = scored(task, database, stage, split)
            if len(gold):
                found = score(probabilities, gold, covered)
                values = [
                    *_values(task, found),
                    ("calibration_error", None, calibration_error(probabilities, gold)),
                ]
                rows += [(stage, split, *value, len(gold)) for value in values]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _values(task: Task, found: Score) -> list[tuple[str, str | None, float]]:
    values: list[tuple[str, str | None, float]] = [
        ("accuracy", None, found.accuracy),
        ("macro_f1", None, found.macro_f1),
        ("coverage", None, found.coverage),
    ]
    for name, one in zip(task.classes, found.per_class, strict=True):
        values += [
            ("f1", name, one.f1),
            ("precision", name, one.precision),
            ("recall", name, one.recall),
        ]
    return values
