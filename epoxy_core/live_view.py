"""What ``epoxy watch`` shows after an edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from epoxy_core.evaluation import score
from epoxy_core.lf_table import interval
from epoxy_core.session import Session, Update
from epoxy_core.task import Task

EXAMPLES = 3
EXCERPT = 70


@dataclass(frozen=True)
class View:
    """One screen.

    Attributes
    ----------
    update
        What the last good edit did.
    before
        The LF table before it.
    seconds
        From the noticed save to this screen.
    problem
        Why the latest save is not in it, if it is not.
    recorded
        What became of the lineage: a word for the last line.
    committed
        Seconds of them that it took to write the tables; None: they are written when recorded.
    """

    update: Update
    before: pl.DataFrame
    seconds: float
    problem: str = ""
    recorded: str = ""
    committed: float | None = None


def render(task: Task, session: Session, view: View) -> RenderableType:
    """The screen: LF table, accuracy on dev labels, what flipped, what went wrong."""
    parts: list[RenderableType] = [_lf_table(view)]
    dev = _dev_accuracy(session, view.update)
    if dev:
        parts.append(Text.from_markup(f"dev accuracy   {dev}"))
    parts.append(_flips(task, session, view.update))
    for name, error in view.update.refused.items():
        parts.append(Text.from_markup(f"[red]{name}[/red] {escape(error)}; its last votes stay"))
    if view.problem:
        parts.append(Text.from_markup(f"[red]not applied:[/red] {escape(view.problem)}"))
    stages = ", ".join(f"{name} {1000 * s:.0f}" for name, s in view.update.seconds.items())
    done = f"refreshed in {1000 * view.seconds:.0f} ms ({stages})"
    if view.committed is not None:
        done += f", of them committed in {view.committed:.2f} s"
    parts.append(Text.from_markup(f"[dim]{done}[/dim]"))
    if view.recorded:
        parts.append(Text.from_markup(f"[dim]{view.recorded}[/dim]"))
    return Group(*parts)


def _lf_table(view: View) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("LF", no_wrap=True)
    for name in ("cover", "with borrowed", "conflict", "est. acc.", "dev acc.", "errors"):
        table.add_column(name, justify="right")
    before = {row["lf"]: row for row in view.before.iter_rows(named=True)}
    for row in view.update.table.iter_rows(named=True):
        old = before.get(row["lf"], {})
        edited = row["lf"] in view.update.voted
        shares = ("coverage", "extended_coverage", "conflicts")
        table.add_row(
            f"[bold cyan]{row['lf']}[/bold cyan]" if edited else row["lf"],
            *(_share(row[name], old.get(name)) for name in shares),
            _estimate(row, old) if view.update.accuracy else "…",
            _share(row["dev_accuracy"], old.get("dev_accuracy")),
            str(row["n_errors"] or ""),
        )
    return table


def _share(now: float | None, before: float | None) -> str:
    """A percentage, and by how much it changed if that can be seen."""
    if now is None:
        return "–"
    change = 100 * (now - before) if before is not None else 0.0
    shown = f"{100 * now:.1f}"
    if abs(change) < 0.05:
        return shown
    return f"[yellow]{change:+.1f}[/yellow] {shown}"


def _estimate(row: Mapping[str, Any], old: Mapping[str, Any]) -> str:
    """The estimated accuracy with its interval."""
    shown = _share(row["estimated_accuracy"], old.get("estimated_accuracy"))
    return shown + interval(row["accuracy_low"], row["accuracy_high"])


def _dev_accuracy(session: Session, update: Update) -> str:
    gold = session.gold
    known = gold >= 0
    if not known.any():
        return ""
    stages = {
        "majority vote": update.combined.majority,
        "label model": update.combined.own,
        "with borrowed votes": update.combined.extended,
    }
    return "   ".join(
        f"{name} {100 * score(probabilities[known], gold[known]).accuracy:.1f}"
        for name, probabilities in stages.items()
    )


def _flips(task: Task, session: Session, update: Update) -> Text:
    rows = np.flatnonzero(update.flipped)
    if not len(rows):
        return Text("no label flipped")
    names = np.array([*task.classes, "–"], dtype=object)
    before, after = names[update.labels_before[rows]], names[update.labels[rows]]
    kinds = pl.DataFrame({"before": before, "after": after}).group_by("before", "after").len()
    counts = ", ".join(
        f"{old} → {new} {n:,}" for old, new, n in kinds.sort("len", descending=True).iter_rows()
    )
    lines = [f"{len(rows):,} labels flipped: {counts}"]
    for row, old, new in zip(rows[:EXAMPLES], before, after, strict=False):
        text = " ".join(session.items["text"][int(row)].split())[:EXCERPT]
        text = text or session.items["item_id"][int(row)]
        lines.append(f"  {old} → {new}  {text}")
    return Text("\n".join(lines))
