"""``epoxy diff`` and ``epoxy labels``: what label runs changed and why, and their labels."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from epoxy_core.errors import EpoxyError
from epoxy_core.label_changes import cause_counts, describe, examples, flip_counts
from epoxy_core.storage.database import Database
from epoxy_core.storage.label_runs import (
    LabelRun,
    changes_between,
    find_run,
    label_runs,
    labels_of,
    last_runs,
    what_changed,
    with_texts,
)
from epoxy_core.storage.publish import accept
from pipelines.output import flat, write_rows

NOTHING = "–"


def print_diff(console: Console, database: Database, names: Sequence[str], n_examples: int) -> None:
    """Print what changed between two label runs.

    Parameters
    ----------
    console
        Where to.
    database
        The task's tables.
    names
        None: the last run against the one before it. One run: that one against the one before
        it. Two: any two, the earlier one first whatever the order.
    n_examples
        Changes to show in full.

    Raises
    ------
    EpoxyError
        If there is no such run, or none before it.
    """
    runs = label_runs(database)
    before, after = _pair(runs, names)
    changes = changes_between(database, before, after)
    console.print(f"\n[bold]{before.run_id}[/bold] → [bold]{after.run_id}[/bold]", highlight=False)
    for run in (before, after):
        console.print(
            f"  {run.created_at:%Y-%m-%d %H:%M:%S} UTC: {run.n_labeled:,} of {run.n_items:,} items"
            f" labelled{'' if run.accepted else ', not accepted'}",
            highlight=False,
        )
    _print_differences(console, what_changed(before, after))
    if not changes.height:
        console.print("\n[green]No label is another.[/green]")
        if changed := [run for run in runs if run.n_changed]:
            console.print(
                f"The last run that changed labels is {changed[-1].run_id}.", highlight=False
            )
        return
    _print_changes(console, changes, after)
    if changes["causes"].list.len().sum():
        _print_causes(console, changes)
    _print_examples(console, with_texts(database, examples(changes, n_examples)))


def accept_last(console: Console, database: Database) -> None:
    """Accept the last label run, so that what depends on the labels may follow.

    Raises
    ------
    EpoxyError
        If there is no run.
    """
    runs = label_runs(database)
    if not runs:
        raise EpoxyError("no label run to accept", remedy=last_runs(runs))
    accept(database, runs[-1].run_id)
    console.print(f"{runs[-1].run_id} is accepted: the next `epoxy run` goes on from it.")


def print_labels(
    console: Console, database: Database, name: str | None, output: Path | None
) -> None:
    """Write the labels of a run, of the last one by default, to a file or as CSV to stdout.

    Raises
    ------
    EpoxyError
        If there is no such run, or the file cannot be written.
    """
    runs = label_runs(database)
    if not runs:
        raise EpoxyError("no labels yet", where=str(database.path), remedy=last_runs(runs))
    run = find_run(runs, name) if name else runs[-1]
    rows = labels_of(database, run)
    if output is None:
        typer.echo(flat(rows, run.classes).write_csv(), nl=False)
        return
    write_rows(rows, run.classes, output)
    console.print(
        f"wrote {rows.height:,} labels of the run {run.run_id} to {output}",
        highlight=False,
        soft_wrap=True,
    )


def _pair(runs: Sequence[LabelRun], names: Sequence[str]) -> tuple[LabelRun, LabelRun]:
    if len(names) > 2:
        raise EpoxyError(
            f"{len(names)} label runs", remedy="Name at most two, to compare one with the other."
        )
    if len(names) == 2:
        before, after = sorted(
            (find_run(runs, name) for name in names), key=lambda run: run.created_at
        )
        return before, after
    if not runs:
        raise EpoxyError("no label run yet", remedy=last_runs(runs))
    after = find_run(runs, names[0]) if names else runs[-1]
    if after is runs[0]:
        raise EpoxyError(
            "no label run before it to compare with", where=after.run_id, remedy=last_runs(runs)
        )
    return runs[runs.index(after) - 1], after


def _print_differences(console: Console, differences: pl.DataFrame) -> None:
    if not differences.height:
        console.print("\nNothing that the labels depend on is known to differ.")
        return
    console.print("\nWhat the runs depend on")
    table = _table("", "before", "after")
    for what, before, after in differences.iter_rows():
        cells = (NOTHING if value is None else escape(_short(value)) for value in (before, after))
        table.add_row(escape(what), *cells)
    console.print(table)


def _print_changes(console: Console, changes: pl.DataFrame, after: LabelRun) -> None:
    kept = after.n_labeled - changes["label_after"].count()
    flipped = changes.drop_nulls(["label_before", "label_after"]).height
    gone = changes["label_after"].null_count()
    console.print(
        f"\n{flipped:,} labels flipped ({flipped / max(1, kept + flipped):.1%} of those in both), "
        f"{changes['label_before'].null_count():,} new, {gone:,} gone",
        highlight=False,
    )
    table = _table("from", "to")
    table.add_column("items", justify="right")
    for before, label, items in flip_counts(changes).iter_rows():
        table.add_row(escape(before or NOTHING), escape(label or NOTHING), f"{items:,}")
    console.print(table)


def _print_causes(console: Console, changes: pl.DataFrame) -> None:
    console.print("\nLabeling functions behind them")
    table = _table("LF")
    for name in ("caused most", "took part", "against"):
        table.add_column(name, justify="right")
    for row in cause_counts(changes).iter_rows():
        table.add_row(*map(str, row))
    console.print(table)


def _print_examples(console: Console, shown: pl.DataFrame) -> None:
    console.print("\nExamples (with each LF's change of the log-odds)" if shown.height else "")
    for row in shown.iter_rows(named=True):
        before = _label(row["label_before"], row["confidence_before"])
        after = _label(row["label_after"], row["confidence_after"])
        console.print(
            f"  [bold]{escape(row['item_id'])}[/bold]  {before} → {after}  "
            f"[cyan]{escape(describe(row['causes']))}[/cyan]" + _text_below(row),
            highlight=False,
            soft_wrap=True,
        )


def _text_below(row: Mapping[str, Any]) -> str:
    if row["text"] == row["item_id"]:
        return ""
    return f"\n    {escape(row['text'] or 'no longer an item')}"


def _label(name: str | None, confidence: float | None) -> str:
    return NOTHING if name is None else f"{escape(name)} {100 * (confidence or 0):.1f}"


def _short(value: str) -> str:
    try:
        shown = json.loads(value)
    except ValueError:
        return value[:12]
    return shown if isinstance(shown, str) else value[:60]


def _table(*left: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in left:
        table.add_column(name)
    return table
