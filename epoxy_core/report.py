"""The report of a task, read from its tables and printed with rich."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from epoxy_core.choices import Choice
from epoxy_core.errors import EpoxyError
from epoxy_core.lf_table import interval
from epoxy_core.storage.choices import read_choices
from epoxy_core.storage.database import Database
from epoxy_core.task import Task

STAGES = {
    "majority_vote": "majority vote",
    "label_model": "label model",
    "extended_votes": "label model on extended votes",
    "refined": "votes and classifier together",
    "end_model": "end model",
}
MOST_CLASSES_SHOWN = 4
MOST_PROBLEMS_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """Everything the report shows, as frames.

    Attributes
    ----------
    splits
        Items per split.
    videos
        The files of a video task; no rows for text.
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
    choices
        What was chosen by itself, and why.
    """

    splits: pl.DataFrame
    videos: pl.DataFrame
    lf_summary: pl.DataFrame
    lf_errors: pl.DataFrame
    evaluation: pl.DataFrame
    stages: pl.DataFrame
    labels: pl.DataFrame
    training: pl.DataFrame
    choices: list[Choice]


def read_report(database: Database, task: Task) -> Report:
    """Collect the report from the task's tables.

    Raises
    ------
    EpoxyError
        If the task was never run, or no run came as far as the labels.
    """
    if not database.query("SELECT 1 FROM predictions LIMIT 1").height:
        raise EpoxyError(
            "no results to report: the last run failed before the label model",
            where=str(database.path),
            remedy="`epoxy run TASK` says why.",
        )
    per_class = "SELECT label, count(*) AS items FROM {} GROUP BY label ORDER BY label"
    return Report(
        splits=database.query(
            "SELECT split, count(*) AS items FROM items GROUP BY split ORDER BY items DESC"
        ),
        videos=database.query("SELECT * FROM videos" if task.video else "SELECT 1 LIMIT 0"),
        lf_summary=database.query("SELECT * FROM lf_summary"),
        lf_errors=database.query("SELECT * FROM lf_errors"),
        evaluation=database.query("SELECT * FROM evaluation"),
        stages=database.query(
            "SELECT stage, count(label) / count(*) AS coverage FROM predictions GROUP BY stage"
        ),
        labels=database.query(per_class.format("labels")),
        training=database.query(per_class.format("training_set")),
        choices=read_choices(database),
    )


def print_report(console: Console, task: Task, report: Report) -> None:
    """Print the LF table, the stages side by side, and what was made."""
    splits = ", ".join(f"{n:,} {split}" for split, n in report.splits.iter_rows())
    console.print(f"\n[bold]{task.name}[/bold]  {task.description}\n{splits}\n")
    if report.videos.height:
        _print_videos(console, report.videos)
    console.print(_lf_table(report.lf_summary))
    for lf, item, error, n in report.lf_errors.unique(
        "lf", keep="first", maintain_order=True
    ).iter_rows():
        console.print(
            f"  [yellow]{lf} fails on {n} items[/yellow], first on {escape(item or 'all')}: "
            f"{escape(error)}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(_stage_table(task, report))
    _print_choices(console, report.choices)
    console.print()
    for name, counts in (("labels", report.labels), ("training set", report.training)):
        total = counts["items"].sum()
        shares = ", ".join(f"{label} {n:,}" for label, n in counts.iter_rows())
        console.print(f"[bold]{name}[/bold]: {total:,} items ({shares})")


def on_a_clock(seconds: float) -> str:
    """Minutes and seconds, of an hour or more with the hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} hours" if hours else f"{minutes}:{rest:02} minutes"


def _print_videos(console: Console, videos: pl.DataFrame) -> None:
    console.print(f"{videos.height:,} videos, {on_a_clock(float(videos['duration'].sum()))}")
    problems = videos.drop_nulls("problem")
    for name, items, problem in (
        problems.select("video", "items", "problem").head(MOST_PROBLEMS_SHOWN).iter_rows()
    ):
        what = f"{items:,} items" if items else "left out"
        console.print(
            f"  [yellow]{what}:[/yellow] {escape(f'{name}: {problem}')}",
            highlight=False,
            soft_wrap=True,
        )
    if problems.height > MOST_PROBLEMS_SHOWN:
        console.print(f"  … and {problems.height - MOST_PROBLEMS_SHOWN} more (table `videos`)")
    console.print()


def _print_choices(console: Console, choices: Sequence[Choice]) -> None:
    if choices:
        console.print("\n[italic]Chosen by itself[/italic]")
    for choice in choices:
        scores = ", ".join(f"{name} {value:.3f}" for name, value in choice.scores.items())
        measured = f" ({choice.measure}: {scores})" if scores else ""
        line = f"{choice.stage}: [bold]{escape(choice.chosen)}[/bold]. {escape(choice.reason)}"
        console.print(line + escape(measured), highlight=False, soft_wrap=True)
        if choice.warning:
            warning = f"  [yellow]{escape(choice.warning)}[/yellow]"
            console.print(warning, highlight=False, soft_wrap=True)


def print_times(console: Console, seconds: Mapping[str, float]) -> None:
    """Print wall time per step."""
    table = _table("Time per step", "step")
    table.add_column("seconds", justify="right")
    for step, value in seconds.items():
        table.add_row(step.split("__")[-1], f"{value:.2f}")
    console.print(table)


def _lf_table(summary: pl.DataFrame) -> Table:
    table = _table("Labeling functions", "LF", "votes for")
    for name in ("cover", "with borrowed", "overlap", "conflict", "est. acc.", "dev acc.", "τ"):
        table.add_column(name, justify="right")
    for row in summary.iter_rows(named=True):
        dev = f" ({row['dev_votes']})" if row["dev_votes"] else ""
        table.add_row(
            row["lf"] + (" [yellow]![/yellow]" if row["n_errors"] else ""),
            ", ".join(row["polarity"]) or "never votes",
            _percent(row["coverage"]),
            _percent(row["extended_coverage"]),
            _percent(row["overlaps"]),
            _percent(row["conflicts"]),
            _percent(row["estimated_accuracy"])
            + interval(row["accuracy_low"], row["accuracy_high"]),
            _percent(row["dev_accuracy"]) + interval(row["dev_low"], row["dev_high"]) + dev,
            "–" if row["threshold"] is None else f"{row['threshold']:.2f}",
        )
    return table


def _stage_table(task: Task, report: Report) -> Table:
    """Accuracy on every split; the rest on the last one, which is test where there is one."""
    table = _table("Stages against hand labels", "stage")
    table.add_column("cover", justify="right")
    sizes = report.evaluation.select("split", "n_items").unique(maintain_order=True)
    splits = dict(sizes.iter_rows())
    columns: list[tuple[str, str, str | None]] = []
    for split, n in splits.items():
        table.add_column(f"{split} acc. ({n:,})", justify="right")
        columns.append((split, "accuracy", None))
    if splits:
        last = list(splits)[-1]
        for name in task.classes if task.n_classes <= MOST_CLASSES_SHOWN else []:
            table.add_column(f"F1 {name}", justify="right")
            columns.append((last, "f1", name))
        table.add_column("macro F1", justify="right")
        columns.append((last, "macro_f1", None))
        table.add_column("ECE", justify="right")
        columns.append((last, "calibration_error", None))
    scores = {
        (stage, split, metric, name): value
        for stage, split, metric, name, value in report.evaluation.select(
            "stage", "split", "metric", "class", "value"
        ).iter_rows()
    }
    coverage = dict(report.stages.iter_rows())
    for stage, title in STAGES.items():
        if stage in coverage:
            cells = [_percent(scores.get((stage, *column))) for column in columns]
            table.add_row(title, _percent(coverage[stage]), *cells)
    return table


def _table(title: str, *left: str) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in left:
        table.add_column(name, no_wrap=True)
    return table


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
