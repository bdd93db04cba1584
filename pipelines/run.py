"""``epoxy run``: bring a task up to date and say what that took and gave."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape

from epoxy_core.home import Home
from epoxy_core.report import print_report, print_times, read_report
from epoxy_core.storage.database import Database
from epoxy_core.task import Task
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.relabel import Relabeling, relabel
from pipelines.staleness import Staleness


def run_task(console: Console, task: Task, home: Home, *, report: bool = True) -> bool:
    """Materialise what is stale, and print what that was and the report.

    Returns
    -------
    bool
        Whether every step succeeded.
    """
    definitions = build([task], home)
    with open_instance(home) as instance:
        done = relabel(instance, definitions, task, lambda level: _announce(console, level))
    _summarise(console, task, done)
    if report and not done.failures:
        print_report(console, task, read_report(Database(home.database(task.name)), task))
        if done.ran:
            print_times(console, done.seconds)
        _where(console, task, home)
    return not done.failures


def _announce(console: Console, level: Mapping[dg.AssetKey, Staleness]) -> None:
    groups: dict[str, list[str]] = {}
    for asset, why in level.items():
        groups.setdefault(str(why), []).append("/".join(asset.path[1:]))
    for reason, names in groups.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        console.print(f"  [cyan]{shown}[/cyan]: {reason}")


def _summarise(console: Console, task: Task, done: Relabeling) -> None:
    for message in done.failures:
        console.print(f"[red]failed:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    if done.failures:
        console.print(
            "What does not depend on this is stored. Mend it and run again: only the rest will run."
        )
    elif not done.ran:
        console.print(
            f"[green]{task.name} is up to date[/green]: nothing changed since the last run "
            f"({done.seconds['total']:.1f} s to see that)."
        )
    else:
        console.print(
            f"[green]{len(done.ran)} assets materialised[/green] in {done.seconds['total']:.1f} s."
        )


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _where(console: Console, task: Task, home: Home) -> None:
    console.print(
        f"\ntraining set   {_shown(home.training_set(task.name))}"
        f"\ntables         {_shown(home.database(task.name))}"
        f"\nlineage        make ui (or: epoxy ui), then http://127.0.0.1:3000",
        highlight=False,
        soft_wrap=True,
    )
