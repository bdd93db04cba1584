"""The report of a task, read from its tables and printed with rich."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from epoxy_core.storage.database import Database
from epoxy_core.task import Task

STAGES = {
    "majority_vote": "majority vote",
    "label_model": "label model",
    "extended_votes": "label model on extended votes",
    "end_model": "end model",
}


@dataclass(frozen=True)
class Report:
    """Everything the report shows, as frames.

    Attributes
    ----------
    splits
        Items per split.
    lf_summary
        The LF table.
    lf_errors
        The first errors of the labeling functions that raised.
    evaluation
        Scores by stage, split, metric and class.
    stages
        Coverage by stage, over all items.
    labels
        Published labels per class.
    training
        Training items per class.
    """

    splits: pl.DataFrame
    lf_summary: pl.DataFrame
    lf_errors: pl.DataFrame
    evaluation: pl.DataFrame
    stages: pl.DataFrame
    labels: pl.DataFrame
    training: pl.DataFrame


def read_report(database: Database) -> Report:
    """Collect the report from the task's tables.

    Raises
    ------
    EpoxyError
        If the task was never run.
    """
    per_class = "SELECT label, count(*) AS items FROM {} GROUP BY label ORDER BY label"
    return Report(
        splits=database.query(
            "SELECT split, count(*) AS items FROM items GROUP BY split ORDER BY items DESC"
        ),
        lf_summary=database.query("SELECT * FROM lf_summary"),
        lf_errors=database.query("SELECT * FROM lf_errors"),
        evaluation=database.query("SELECT * FROM evaluation"),
        stages=database.query(
            "SELECT stage, count(label) / count(*) AS coverage FROM predictions GROUP BY stage"
        ),
        labels=database.query(per_class.format("labels")),
        training=database.query(per_class.format("training_set")),
    )


def print_report(console: Console, task: Task, report: Report) -> None:
    """Print the LF table, the stages side by side, and what was made."""
    splits = ", ".join(f"{n:,} {split}" for split, n in report.splits.iter_rows())
    console.print(f"\n[bold]{task.name}[/bold]  {task.description}\n{splits}\n")
    console.print(_lf_table(report.lf_summary))
    for lf, item, error, n in report.lf_errors.unique(
        "lf", keep="first", maintain_order=True
    ).iter_rows():
        console.print(
            f"  [yellow]{lf} raised on {n} items[/yellow], first on {escape(f'{item}: {error}')}",
            highlight=False,
        )
    console.print(_stage_table(task, report))
    for name, counts in (("labels", report.labels), ("training set", report.training)):
        total = counts["items"].sum()
        shares = ", ".join(f"{label} {n:,}" for label, n in counts.iter_rows())
        console.print(f"[bold]{name}[/bold]: {total:,} items ({shares})")


def print_times(console: Console, seconds: Mapping[str, float]) -> None:
    """Print wall time per step."""
    table = Table(title="Time per stage", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("step")
    table.add_column("seconds", justify="right")
    for step, value in seconds.items():
        table.add_row(step.split("__")[-1], f"{value:.2f}")
    console.print(table)


def _lf_table(summary: pl.DataFrame) -> Table:
    table = Table(title="Labeling functions", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("LF")
    table.add_column("votes for")
    for name in ("cover", "extended", "overlap", "conflict", "est. acc.", "dev acc.", "(n)", "τ"):
        table.add_column(name, justify="right")
    for row in summary.iter_rows(named=True):
        table.add_row(
            row["lf"] + (" [yellow]![/yellow]" if row["n_errors"] else ""),
            ", ".join(row["polarity"]) or "never votes",
            _percent(row["coverage"]),
            _percent(row["extended_coverage"]),
            _percent(row["overlaps"]),
            _percent(row["conflicts"]),
            _percent(row["estimated_accuracy"]),
            _percent(row["dev_accuracy"]),
            f"({row['dev_votes']})",
            "–" if row["threshold"] is None else f"{row['threshold']:.2f}",
        )
    return table


def _stage_table(task: Task, report: Report) -> Table:
    table = Table(
        title="\nStages against hand labels", title_justify="left", box=None, padding=(0, 2, 0, 0)
    )
    table.add_column("stage")
    table.add_column("covers", justify="right")
    splits = report.evaluation["split"].unique(maintain_order=True).to_list()
    shown = task.classes if task.n_classes <= 3 else []
    for split in splits:
        n = report.evaluation.filter(pl.col("split") == split)["n_items"][0]
        for metric in ("acc.", "macro F1", *(f"F1 {name}" for name in shown)):
            table.add_column(
                f"{split} {metric}" + (f" ({n})" if metric == "acc." else ""), justify="right"
            )
    coverage = dict(report.stages.iter_rows())
    scores = {
        (stage, split, metric, name): value
        for stage, split, metric, name, value in report.evaluation.select(
            "stage", "split", "metric", "class", "value"
        ).iter_rows()
    }
    for stage, title in STAGES.items():
        if stage not in coverage:
            continue
        cells = []
        for split in splits:
            cells += [scores.get((stage, split, "accuracy", None))]
            cells += [scores.get((stage, split, "macro_f1", None))]
            cells += [scores.get((stage, split, "f1", name)) for name in shown]
        table.add_row(title, _percent(coverage[stage]), *map(_percent, cells))
    return table


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
