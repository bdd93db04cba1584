"""``epoxy predict``: the end model on new texts."""

import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from assets.features import features_fingerprint, features_of
from epoxy_core.corpus import STDIN, NewTexts, read_texts
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.predict import AT_ONCE, EndModel, load_end_model
from epoxy_core.task import Task
from pipelines.output import check_target, flat, write_rows

SHOWN = 40
"""Rows of the table on a terminal."""


def predict_texts(
    console: Console,
    task: Task,
    home: Home,
    files: Sequence[str],
    output: Path | None,
    column: str | None,
) -> None:
    """Predict the texts of files or of standard input; write item id, text and prediction.

    Parameters
    ----------
    console
        Where a table goes, if it is a terminal; CSV goes to stdout.
    task
        Whose end model.
    home
        Where it is.
    files
        See `read_texts`.
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
            "no texts to predict",
            remedy="Name files (CSV, TSV, JSONL, Parquet, .txt), or - for lines of text on "
            "standard input.",
        )
    if output is not None:
        _check_output(output, files)
    lexical = home.lexical(task.name)
    head, classes = load_end_model(
        task, home.end_model(task.name), lambda: features_fingerprint(task, lexical)
    )
    model = EndModel(head, classes, features_of(task, lexical))
    lines = sys.stdin.buffer if STDIN in files else ()
    texts = read_texts(task.source, files, folder=Path.cwd(), lines=lines, column=column)
    for found in texts.problems:
        notes.print(
            f"[yellow]left out:[/yellow] {escape(str(found))}", highlight=False, soft_wrap=True
        )
    rows = _predicted(notes, model, texts)
    if output is not None:
        write_rows(rows, model.classes, output)
        notes.print(
            f"wrote {rows.height:,} predictions to {output}", highlight=False, soft_wrap=True
        )
    elif console.is_terminal:
        _print_table(console, rows)
    else:
        typer.echo(flat(rows, model.classes).write_csv(), nl=False)


def _predicted(notes: Console, model: EndModel, texts: NewTexts) -> pl.DataFrame:
    n = texts.rows.height
    parts = []
    with Progress(console=notes, transient=True, disable=n <= AT_ONCE) as progress:
        bar = progress.add_task("predicting", total=n)
        for part in model.predict(texts.rows["text"]):
            parts.append(part)
            progress.advance(bar, part.height)
    return pl.concat([texts.rows, pl.concat(parts)], how="horizontal")


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
    table.add_column("text", no_wrap=True, overflow="ellipsis")
    for row in rows.head(SHOWN).iter_rows(named=True):
        shown = " ".join(row["text"][:200].split())
        table.add_row(escape(row["label"]), f"{100 * row['confidence']:.1f}", escape(shown))
    console.print(table)
    if rows.height > SHOWN:
        console.print(
            f"and {rows.height - SHOWN:,} more; all of them: --output FILE", highlight=False
        )
