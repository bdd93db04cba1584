"""``epoxy``: scaffold, check, run and inspect labeling tasks from a terminal."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.task import TASK_FILE, Task, discover, load_task

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Label text with heuristics, extended through embeddings. A TASK is a folder with a "
    "task.yaml, or the name of one in the tasks directory (EPOXY_TASKS, by default examples/). "
    "Results go to EPOXY_HOME, by default .epoxy/.",
)
console = Console()
console.width = max(console.width, 110)  # the LF table wants room; a narrow terminal wraps

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="a task's folder or name")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder of the new task")],
    data: Annotated[
        Path | None, typer.Option(help="your CSV, TSV, JSONL or Parquet file, or folder of .txt")
    ] = None,
) -> None:
    """Scaffold a task: task.yaml and labeling_functions.py, ready to edit."""
    from epoxy_core.scaffold import scaffold

    for file in scaffold(folder, data):
        console.print(f"wrote {file}")
    console.print(f"\nEdit them, then: epoxy check {folder}, epoxy run {folder}")


@app.command()
def check(task: TaskName) -> None:
    """Validate settings, data, and every labeling function on a sample."""
    from pipelines.check import check_task

    raise typer.Exit(0 if check_task(console, _find(task)) else 1)


@app.command()
def run(task: TaskName) -> None:
    """Materialise whatever is out of date, through Dagster, and print the report."""
    from pipelines.run import run_task

    raise typer.Exit(0 if run_task(console, _find(task), Home.from_environment()) else 1)


@app.command()
def report(task: TaskName) -> None:
    """Print the report of the last run."""
    from epoxy_core.report import print_report, read_report
    from epoxy_core.storage.database import Database

    found = _find(task)
    database = Database(Home.from_environment().database(found.name))
    print_report(console, found, read_report(database))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="port on loopback")] = 3000,
) -> None:
    """Open the tasks directory in the Dagster UI, on loopback."""
    from pipelines.instance import prepare

    prepare(Home.from_environment())
    dagster = Path(sys.executable).with_name("dagster")
    console.print(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)")
    command = [str(dagster), "dev", "-m", "pipelines.definitions"]
    os.execv(dagster, [*command, "-h", "127.0.0.1", "-p", str(port)])


def main() -> None:
    """Run the command line; a problem the user can fix is a message, not a traceback."""
    try:
        app()
    except EpoxyError as error:
        message = f"[red]error:[/red] {escape(str(error))}"
        Console(stderr=True).print(message, highlight=False, soft_wrap=True)
        sys.exit(2)


def _find(name: str) -> Task:
    folder = Path(name)
    if folder.exists():
        return load_task(folder)
    directory = Path(os.environ.get("EPOXY_TASKS", "examples"))
    if (directory / name / TASK_FILE).is_file():
        return load_task(directory / name)
    known = [found.name for found in discover(directory)] if directory.is_dir() else []
    raise EpoxyError(
        f"no task {name!r}",
        where=str(directory),
        remedy=f"There {'is' if len(known) == 1 else 'are'} {', '.join(known) or 'none'}; "
        "or give a folder that holds a task.yaml.",
    )
