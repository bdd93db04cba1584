"""``epoxy``: scaffold, check, run and inspect labeling tasks from a terminal."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from epoxy_core.errors import EpoxyError, UnavailableError
from epoxy_core.home import Home
from epoxy_core.task import TASK_FILE, Task, discover, load_task

UNAVAILABLE = 69
"""Exit status where data or a model cannot be downloaded, as in sysexits.h."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Label text and video with heuristics, extended through embeddings. A TASK is a folder "
    "with a task.yaml, or the name of one in the tasks directory (EPOXY_TASKS, by default "
    "examples/). Results go to EPOXY_HOME, by default .epoxy/.",
)
console = Console()
console.width = max(console.width, 110)  # the LF table wants room; a narrow terminal wraps

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="a task's folder or name")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="folder of the new task")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="your CSV, TSV, JSONL or Parquet file, folder of .txt, video or folder of videos"
        ),
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

    raise typer.Exit(0 if check_task(console, _find(task), Home.from_environment()) else 1)


@app.command()
def run(task: TaskName) -> None:
    """Materialise whatever is out of date, through Dagster, and print the report."""
    from pipelines.run import run_task

    raise typer.Exit(0 if run_task(console, _find(task), Home.from_environment()) else 1)


@app.command()
def relabel(task: TaskName) -> None:
    """Like run, without the report: bring the labels up to date, level by level."""
    from pipelines.run import run_task

    done = run_task(console, _find(task), Home.from_environment(), report=False)
    raise typer.Exit(0 if done else 1)


@app.command()
def status(task: TaskName) -> None:
    """Print what is out of date, and why, without running it."""
    from pipelines.status import print_status

    print_status(console, _find(task), Home.from_environment())


@app.command()
def watch(task: TaskName) -> None:
    """Stay in memory and refresh the LF table at every save of a heuristic or setting."""
    from pipelines.watch import watch_task

    watch_task(console, _find(task).folder, Home.from_environment())


@app.command()
def report(task: TaskName) -> None:
    """Print the report of the last run."""
    from epoxy_core.report import print_report, read_report
    from epoxy_core.storage.database import Database

    found = _find(task)
    database = Database(Home.from_environment().database(found.name))
    print_report(console, found, read_report(database, found))


@app.command()
def diff(
    task: TaskName,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN] [RUN]",
            help="label runs, by id or its beginning: none, the last against the one before; one, "
            "that against the one before; two, these",
        ),
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="changes to show in full")] = 10,
    accept: Annotated[
        bool, typer.Option("--accept", help="accept the last run where label_changes.block is set")
    ] = False,
) -> None:
    """Show which labels another run changed, and which labeling functions caused it."""
    from epoxy_core.storage.database import Database
    from pipelines.diff import accept_last, print_diff

    database = Database(Home.from_environment().database(_find(task).name))
    if accept:
        accept_last(console, database)
    else:
        print_diff(console, database, runs or [], examples)


@app.command()
def labels(
    task: TaskName,
    run: Annotated[
        str | None, typer.Option(help="a label run, by id or its beginning; the last by default")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=".parquet, .jsonl or .csv file; CSV to stdout by default")
    ] = None,
) -> None:
    """Print or write the labels that a label run published."""
    from epoxy_core.storage.database import Database
    from pipelines.diff import print_labels

    database = Database(Home.from_environment().database(_find(task).name))
    print_labels(console, database, run, output)


@app.command()
def predict(
    task: TaskName,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE…",
            help="CSV, TSV, JSONL, Parquet or .txt files, or folders of .txt; - reads lines of "
            "text from standard input; of a video task: videos, or folders of them",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "--out",
            help=".parquet, .jsonl or .csv file; by default a table on a terminal, else CSV to "
            "stdout",
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="the column that holds the text; source.text by default")
    ] = None,
) -> None:
    """Label new texts or videos by the end model that the last run trained."""
    from pipelines.predict import predict_files

    found = _find(task)
    predict_files(console, found, Home.from_environment(), files or [], output, text)


@app.command()
def snapshot(
    task: TaskName,
    output: Annotated[Path | None, typer.Option(help="the copy's file")] = None,
) -> None:
    """Copy the tables to a file that may be kept open while labels are made again."""
    from epoxy_core.storage.database import Database

    path = Home.from_environment().database(_find(task).name)
    target = output or path.with_name("snapshot.duckdb")
    Database(path).snapshot(target)
    console.print(f"wrote {target}", highlight=False, soft_wrap=True)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="port on loopback")] = 3000,
) -> None:
    """Open the tasks directory in the Dagster UI, on loopback, and relabel as tasks say."""
    from pipelines.ui import serve

    console.print(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)")
    serve(Home.from_environment(), port)


def main() -> None:
    """Run the command line; a problem the user can fix is a message, not a traceback."""
    try:
        app()
    except EpoxyError as error:
        message = f"[red]error:[/red] {escape(str(error))}"
        Console(stderr=True).print(message, highlight=False, soft_wrap=True)
        sys.exit(UNAVAILABLE if isinstance(error, UnavailableError) else 2)


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
