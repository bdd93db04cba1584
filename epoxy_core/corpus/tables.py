"""One table out of several source files of any format, every row with where it came from."""

import json
from dataclasses import dataclass

import polars as pl

from epoxy_core.corpus.decode import MARK, is_utf8, text_lines
from epoxy_core.corpus.delimited import read_delimited
from epoxy_core.corpus.files import SourceFile
from epoxy_core.corpus.jsonl import read_jsonl
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource

FILE, LINE, NAME = "__file", "__line", "__name"
"""Our columns: position in the list of files, line or row from 1, name of a .txt document."""


@dataclass(frozen=True)
class Table:
    """Readable rows of all files in reading order, with the columns `FILE` and `LINE`.

    ``rows_read`` counts the malformed and undecodable rows too, which ``frame`` lacks.
    """

    frame: pl.DataFrame
    rows_read: int


def read_table(
    files: list[SourceFile],
    source: TextSource,
    needed: dict[str, str],
    findings: Findings,
    optional: dict[str, str] | None = None,
) -> Table:
    """Read and stack the source files.

    Parameters
    ----------
    needed
        Column name → setting that names it. Every file must have these; they come out as String.
        Other columns are united: null where a file lacks one, the supertype where types differ.
        Documents have the columns ``source.text`` and `NAME`.
    optional
        Like ``needed``, of columns that a file may lack.

    Raises
    ------
    EpoxyError
        If a file lacks a needed column, cannot be parsed at all, or has a nested needed column.
    """
    is_utf8(source.encoding)
    before = findings.unreadable
    empty = dict.fromkeys(needed, pl.String) | {FILE: pl.Int64, LINE: pl.Int64}
    frames = [pl.DataFrame(schema=empty)]
    if files[0].format == "txt":
        documents = _read_documents(files, source, needed, findings)
        return Table(documents, documents.height + findings.unreadable - before)
    wanted = needed | (optional or {})
    for position, file in enumerate(files):
        if file.format == "parquet":
            frame, lines = _read_parquet(file, source, wanted, findings)
        elif file.format == "jsonl":
            frame, lines = read_jsonl(file, source, findings)
        else:
            frame, lines = read_delimited(file, source, set(wanted), findings)
        if frame.height:
            here = needed | {name: wanted[name] for name in frame.columns if name in wanted}
            frame = _as_needed(file, frame, here)
            frames.append(
                frame.with_columns(pl.lit(position, pl.Int64).alias(FILE), lines.alias(LINE))
            )
    stacked = _stack(frames)
    return Table(stacked, stacked.height + findings.unreadable - before)


def _read_documents(
    files: list[SourceFile], source: TextSource, needed: dict[str, str], findings: Findings
) -> pl.DataFrame:
    for name, setting in needed.items():
        if name != source.text:
            raise EpoxyError(
                f"text documents have no column {name!r}",
                where=setting,
                remedy="Remove it: a document's id is its path. Gold labels come from labels.file.",
            )
    rows = []
    for position, file in enumerate(files):
        text = "".join(text_lines(file.path, source.encoding)).replace("\r\n", "\n")
        if MARK in text:
            shown = text.replace(MARK, "\ufffd")
            findings.add("undecodable", source.on_bad_row, 1, [(file.name, 1, shown)])
        else:
            rows.append((text.rstrip("\n"), file.name, position, 1))
    schema = {source.text: pl.String, NAME: pl.String, FILE: pl.Int64, LINE: pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read_parquet(
    file: SourceFile, source: TextSource, needed: dict[str, str], findings: Findings
) -> tuple[pl.DataFrame, pl.Series]:
    try:
        frame = pl.scan_parquet(file.path, glob=False).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EpoxyError(
            f"not a readable Parquet file: {str(error).splitlines()[0]}",
            where=file.name,
            remedy="Write it again, or set source.format if it is something else.",
        ) from error
    lines = pl.Series("line", range(1, frame.height + 1), dtype=pl.Int64)
    for name in needed:
        if frame.schema.get(name) == pl.Binary:
            texts = [_decoded(value, source.encoding) for value in frame[name]]
            sound = pl.Series(
                [text is None or MARK not in text for text in texts], dtype=pl.Boolean
            )
            bad = [
                (file.name, row, text.replace(MARK, "\ufffd"))
                for row, text in zip(lines, texts, strict=True)
                if text is not None and MARK in text
            ]
            findings.add("undecodable", source.on_bad_row, len(bad), bad[:MAX_EXAMPLES])
            kept = [text for text in texts if text is None or MARK not in text]
            frame = frame.filter(sound).with_columns(pl.Series(name, kept, dtype=pl.String))
            lines = lines.filter(sound)
    return frame, lines


def _decoded(value: bytes | None, encoding: str) -> str | None:
    if value is None:
        return None
    try:
        return value.decode(encoding)
    except UnicodeDecodeError:
        return value.decode(encoding, "replace") + MARK


def _as_needed(file: SourceFile, frame: pl.DataFrame, needed: dict[str, str]) -> pl.DataFrame:
    reserved = next((name for name in frame.columns if name.startswith("__")), None)
    if reserved is not None:
        raise EpoxyError(
            f"column {reserved!r}: names that start with two underscores are ours",
            where=file.name,
            remedy="Rename the column in the file.",
        )
    for name, setting in needed.items():
        if name not in frame.columns:
            raise EpoxyError(
                f"no column {name!r} (found: {', '.join(map(repr, frame.columns))})",
                where=file.name,
                remedy=f"Correct {setting}, or source.columns if the file has no header row.",
            )
        dtype = frame.schema[name]
        if dtype.is_nested():
            raise EpoxyError(
                f"column {name!r} holds {dtype}, not text",
                where=file.name,
                remedy=f"Point {setting} at a column of text or numbers.",
            )
    return frame.with_columns(_text(frame[name]) for name in needed)


def _text(column: pl.Series) -> pl.Series:
    """Cast to String; NaN is null; whole floats lose the ``.0`` that a null gave the integers."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype.is_float() and (column.drop_nulls() % 1 == 0).all():
        column = column.cast(pl.Int64, strict=False)
    return column.cast(pl.String)


def _stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Union of rows and columns; a column without a common type becomes String."""
    try:
        return pl.concat(frames, how="diagonal_relaxed")
    except pl.exceptions.PolarsError:
        dtypes: dict[str, set[pl.DataType]] = {}
        for frame in frames:
            for name, dtype in frame.schema.items():
                dtypes.setdefault(name, set()).add(dtype)
        mixed = {name for name, found in dtypes.items() if len(found) > 1}
        frames = [
            frame.with_columns(_shown(frame[name]) for name in frame.columns if name in mixed)
            for frame in frames
        ]
        return pl.concat(frames, how="diagonal_relaxed")


def _shown(column: pl.Series) -> pl.Series:
    if not (column.dtype.is_nested() or column.dtype == pl.Binary):
        return column.cast(pl.String)
    texts = [None if value is None else _json(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
