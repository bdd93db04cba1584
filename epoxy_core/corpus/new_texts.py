"""Texts that are no items of the task: files, or lines, that someone wants predictions for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from epoxy_core.corpus.files import SUFFIXES, resolve_files
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings, Problem
from epoxy_core.corpus.tables import FILE, LINE, NAME, read_table
from epoxy_core.corpus.text import content_hash
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource

STDIN = "-"
"""Stands for lines of text on standard input."""

_LINES = "standard input"


@dataclass(frozen=True)
class NewTexts:
    """Readable texts in the order given, and what was left out.

    Attributes
    ----------
    rows
        item_id, text, both String. Repeats stay: one row per row that was read.
    problems
        One entry per kind that occurred.
    """

    rows: pl.DataFrame
    problems: tuple[Problem, ...]


def read_texts(
    source: TextSource,
    paths: Sequence[str],
    *,
    folder: Path,
    lines: Iterable[bytes] = (),
    column: str | None = None,
) -> NewTexts:
    """Read texts as the task reads its source, whatever format each file has.

    The suffix tells the format; of ``.txt`` and of an unknown one ``source.format``, if it is set.
    Ids are made as for items: the id column where a file has one, the path of a document, or else
    the content hash.

    Parameters
    ----------
    source
        Of the task: quotes, encoding, columns, and what to do with bad rows.
    paths
        Files, folders of ``.txt``, or ``-`` for ``lines``.
    folder
        What relative paths start from.
    lines
        UTF-8, one text each.
    column
        The column that holds the text; ``source.text`` when absent.

    Raises
    ------
    EpoxyError
        If a file is absent, unreadable, of unknown format or lacks the column; if rows are bad
        and ``source.on_bad_row`` is "error"; if no text remains.
    """
    findings = Findings()
    frames = [
        _of_lines(lines, source, findings)
        if path == STDIN
        else _of_files(path, folder, source, column, findings)
        for path in paths
    ]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema={"text": pl.String})
    findings.raise_errors(
        ", ".join(paths), dict.fromkeys(("undecodable", "malformed", "empty_text"), _REMEDY)
    )
    if rows.is_empty():
        found = "".join(f"\n{problem}" for problem in findings.problems())
        raise EpoxyError(
            f"no text to predict{found}",
            where=", ".join(_LINES if path == STDIN else path for path in paths),
            remedy="Give files or lines that hold text.",
        )
    return NewTexts(rows, findings.problems())


_REMEDY = "Mend these rows, or set source.on_bad_row: skip in task.yaml."


def _of_files(
    path: str, folder: Path, source: TextSource, column: str | None, findings: Findings
) -> pl.DataFrame:
    own = _as_this_file(path, folder, source)
    files = resolve_files(folder, own)
    name = column or own.text
    own = own.model_copy(update={"text": name})
    setting = "--text" if column else "source.text, name the column by --text"
    optional = {own.id: "source.id"} if own.id and own.id != name else {}
    found = read_table(files, own, {name: setting}, findings, optional).frame
    given = NAME if NAME in found.columns else own.id if own.id in found.columns else None
    return _rows(
        found.select(
            pl.col(given).alias("item_id") if given else pl.lit(None, pl.String).alias("item_id"),
            pl.col(name).alias("text"),
            FILE,
            LINE,
        ),
        [file.name for file in files],
        source,
        findings,
    )


def _as_this_file(path: str, folder: Path, source: TextSource) -> TextSource:
    """The source's settings for one path: its own format, column names only for what has none."""
    target, suffix = folder / path, Path(path).suffix.lower()
    if not (target.exists() or target.is_symlink()):
        raise EpoxyError(
            "no such file",
            where=str(target),
            remedy="Give files that exist, or - for lines of text on standard input.",
        )
    kind = SUFFIXES.get(suffix)
    if target.is_dir():
        kind = "txt"
    elif kind in (None, "txt"):
        kind = source.format or kind
    if kind is None:
        raise EpoxyError(
            f"unknown format: suffix {suffix!r}",
            where=str(target),
            remedy=f"Give one of {', '.join(SUFFIXES)}, or lines of text on standard input (-).",
        )
    columns = source.columns if kind in ("csv", "tsv") else None
    return source.model_copy(update={"paths": [path], "format": kind, "columns": columns})


def _of_lines(lines: Iterable[bytes], source: TextSource, findings: Findings) -> pl.DataFrame:
    kept: list[tuple[int, str]] = []
    bad: list[tuple[str, int, str]] = []
    for number, line in enumerate(lines, 1):
        raw = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        try:
            kept.append((number, raw.decode("utf-8").rstrip("\r\n")))
        except UnicodeDecodeError:
            bad.append((_LINES, number, raw.decode("utf-8", "replace").rstrip()))
    findings.add("undecodable", source.on_bad_row, len(bad), bad[:MAX_EXAMPLES])
    frame = pl.DataFrame(kept, schema={LINE: pl.Int64, "text": pl.String}, orient="row")
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias("item_id"), pl.lit(0, pl.Int64).alias(FILE)
    )
    return _rows(frame, [_LINES], source, findings)


def _rows(
    frame: pl.DataFrame, names: Sequence[str], source: TextSource, findings: Findings
) -> pl.DataFrame:
    blank = pl.col("text").fill_null("").str.strip_chars() == ""
    bad = frame.filter(blank)
    shown = [(names[row[FILE]], row[LINE], "") for row in bad.head(MAX_EXAMPLES).to_dicts()]
    findings.add("empty_text", source.on_bad_row, bad.height, shown)
    rows = frame.filter(~blank)
    hashes = pl.Series([content_hash(text) for text in rows["text"]], dtype=pl.String)
    given = pl.when(pl.col("item_id").str.strip_chars() != "").then("item_id")
    return rows.select(pl.coalesce(given, hashes).alias("item_id"), "text")
