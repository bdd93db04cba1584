"""``epoxy predict``: the end model on new texts or videos."""

import glob
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from assets.features import features_fingerprint, features_of
from epoxy_core.corpus import STDIN, read_texts
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.predict import AT_ONCE, EndModel, load_end_model
from epoxy_core.source_settings import TextSource, VideoSource
from epoxy_core.task import Task
from pipelines.new_videos import read_videos
from pipelines.output import check_target, flat, write_rows

SHOWN = 40
"""Rows of the table on a terminal."""


def predict_files(
    console: Console,
    task: Task,
    home: Home,
    files: Sequence[str],
    output: Path | None,
    column: str | None,
) -> None:
    """Predict texts, of files or of standard input, or videos; write what they are and predictions.

    Parameters
    ----------
    console
        Where a table goes, if it is a terminal; CSV goes to stdout.
    task
        Whose end model.
    home
        Where it is.
    files
        See `read_texts` and `read_videos`.
    output
        The file to write.
    column
        The column that holds the text, if it is not the task's.

    Raises
    ------
    EpoxyError
        If nothing is to be predicted, there is no end model for it, or the file cannot be
        written, which is seen before the work where possible.
    """
    notes = Console(stderr=True)
    if not files:
        raise EpoxyError(
            "no videos to predict" if task.video else "no texts to predict",
            remedy="Name video files, or folders of them."
            if task.video
            else "Name files (CSV, TSV, JSONL, Parquet, .txt), or - for lines of text on "
            "standard input.",
        )
    if output is not None:
        _check_output(output, files)
    lexical = home.lexical(task.name)
    head, classes = load_end_model(
        task, home.end_model(task.name), lambda: features_fingerprint(task, lexical)
    )
    model = EndModel(head, classes, features_of(task, lexical))
    if isinstance(task.source, TextSource):
        rows = _texts(notes, model, task.source, files, column)
    else:
        rows = _videos(notes, model, task.source, files, column)
    if output is not None:
        write_rows(rows, model.classes, output)
        notes.print(
            f"wrote {rows.height:,} predictions to {output}", highlight=False, soft_wrap=True
        )
    elif console.is_terminal:
        _print_table(console, rows)
    else:
        typer.echo(flat(rows, model.classes).write_csv(), nl=False)


def _texts(
    notes: Console, model: EndModel, source: TextSource, files: Sequence[str], column: str | None
) -> pl.DataFrame:
    lines = sys.stdin.buffer if STDIN in files else ()
    texts = read_texts(source, files, folder=Path.cwd(), lines=lines, column=column)
    _print_left_out(notes, map(str, texts.problems))
    return _predicted(notes, model, texts.rows, "text")


def _videos(
    notes: Console, model: EndModel, source: VideoSource, files: Sequence[str], column: str | None
) -> pl.DataFrame:
    if column is not None:
        raise EpoxyError("videos have no column of text", where="--text", remedy="Leave it out.")
    absent = next((file for file in files if not (glob.has_magic(file) or Path(file).exists())), "")
    if absent:
        raise EpoxyError("no such file", where=absent, remedy="Give videos that exist.")
    with Progress(console=notes, transient=True) as progress:
        bar = progress.add_task("decoding", total=None)
        rows, problems = read_videos(
            source, files, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    _print_left_out(notes, (f"{name}: {problem}" for name, problem in problems.iter_rows()))
    return _predicted(notes, model, rows, "item_id").drop("text", "path", "frames")


def _print_left_out(notes: Console, problems: Iterable[str]) -> None:
    for problem in problems:
        notes.print(
            f"[yellow]left out:[/yellow] {escape(problem)}", highlight=False, soft_wrap=True
        )


def _predicted(notes: Console, model: EndModel, rows: pl.DataFrame, content: str) -> pl.DataFrame:
    parts = []
    with Progress(console=notes, transient=True, disable=rows.height <= AT_ONCE) as progress:
        bar = progress.add_task("predicting", total=rows.height)
        for part in model.predict(rows, content):
            parts.append(part)
            progress.advance(bar, part.height)
    return pl.concat([rows, pl.concat(parts)], how="horizontal")


def _check_output(output: Path, files: Sequence[str]) -> None:
    check_target(output)
    if any(file != STDIN and output.resolve() == Path(file).resolve() for file in files):
        raise EpoxyError(
            "is one of the files to predict",
            where=str(output),
            remedy="Give the predictions a file of their own.",
        )


def _print_table(console: Console, rows: pl.DataFrame) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("label", no_wrap=True)
    table.add_column("confidence", justify="right")
    shown = "text" if "text" in rows.columns else "item_id"
    table.add_column(shown, no_wrap=True, overflow="ellipsis")
    for row in rows.head(SHOWN).iter_rows(named=True):
        excerpt = " ".join(row[shown][:200].split())
        table.add_row(escape(row["label"]), f"{100 * row['confidence']:.1f}", escape(excerpt))
    console.print(table)
    if rows.height > SHOWN:
        console.print(
            f"and {rows.height - SHOWN:,} more; all of them: --output FILE", highlight=False
        )
