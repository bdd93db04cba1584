"""Rows to a file, whose suffix says the format; whole or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from epoxy_core.errors import EpoxyError

FORMATS = (".parquet", ".jsonl", ".csv")


def check_target(file: Path) -> None:
    """Refuse, before any work, a file that could not be written.

    Raises
    ------
    EpoxyError
        If no format has its suffix, it is a folder, or there is no folder for it.
    """
    if file.suffix not in FORMATS:
        raise EpoxyError(
            f"no format for {file.suffix or 'a name without an ending'}",
            where=str(file),
            remedy=f"End it in one of {', '.join(FORMATS)}.",
        )
    problem = "is a folder" if file.is_dir() else "" if file.parent.is_dir() else "no such folder"
    if problem:
        raise EpoxyError(
            f"cannot be written ({problem})", where=str(file), remedy="Name a place that can."
        )


def write_rows(rows: pl.DataFrame, classes: Sequence[str], file: Path) -> None:
    """Write rows with a ``probabilities`` column; see `flat` for what CSV makes of it.

    Raises
    ------
    EpoxyError
        As `check_target`; or if writing fails, which leaves what was there before.
    """
    check_target(file)
    partial = file.with_name(f"{file.name}.partial")
    try:
        try:
            if file.suffix == ".parquet":
                rows.write_parquet(partial)
            elif file.suffix == ".jsonl":
                rows.write_ndjson(partial)
            else:
                flat(rows, classes).write_csv(partial)
            os.replace(partial, file)
        finally:
            if partial.is_file():
                partial.unlink()
    except OSError as error:
        raise EpoxyError(
            f"cannot be written ({error})", where=str(file), remedy="Name a place that can."
        ) from error


def flat(rows: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """One column per class instead of the list, which CSV does not have."""
    each = [
        pl.col("probabilities").list.get(i).alias(f"P({name})") for i, name in enumerate(classes)
    ]
    return rows.select(pl.exclude("probabilities"), *each)
