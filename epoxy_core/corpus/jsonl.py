"""JSON Lines: Polars reads sound files; a broken one is mended line by line first."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from epoxy_core.corpus.decode import MARK, is_utf8, text_lines
from epoxy_core.corpus.files import SourceFile
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource

Row = dict[str, Any]


def read_jsonl(
    file: SourceFile, source: TextSource, findings: Findings
) -> tuple[pl.DataFrame, pl.Series]:
    """Read one JSON Lines file; malformed and undecodable lines are counted and left out.

    A column that mixes kinds of values (numbers and text, say) becomes String.

    Returns
    -------
    frame, lines
        The sound records, and the line of each.

    Raises
    ------
    EpoxyError
        If no common type can be found for the values.
    """
    if is_utf8(source.encoding) and (sound := _sound(file, source)) is not None:
        return sound
    lines: list[int] = []
    rows: list[Row] = []
    bad: dict[str, list[tuple[str, int, str]]] = {"malformed": [], "undecodable": []}
    for number, line in _numbered(file, source):
        row = None if MARK in line else _parsed(line)
        if row is None:
            kind = "undecodable" if MARK in line else "malformed"
            bad[kind].append((file.name, number, line.strip().replace(MARK, "\ufffd")))
        else:
            lines.append(number)
            rows.append(row)
    for kind, found in bad.items():
        findings.add(kind, source.on_bad_row, len(found), found[:MAX_EXAMPLES])
    return _mended(file, rows), pl.Series("line", lines, dtype=pl.Int64)


def _numbered(file: SourceFile, source: TextSource) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text_lines(file.path, source.encoding), 1):
        if line.strip():
            yield number, line


def _sound(file: SourceFile, source: TextSource) -> tuple[pl.DataFrame, pl.Series] | None:
    """Read the whole file with Polars; None if it has one fault or more."""
    lines = pl.Series("line", [number for number, _ in _numbered(file, source)], dtype=pl.Int64)
    ordinary = not any(special in str(file.path) for special in "*?[")
    try:
        frame = pl.scan_ndjson(
            file.path if ordinary else file.path.read_bytes(), infer_schema_length=None
        ).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return None
    return (frame, lines) if frame.height == len(lines) else None


def _parsed(line: str) -> Row | None:
    try:
        row = json.loads(line, parse_constant=lambda _: None)
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _mended(file: SourceFile, rows: list[Row]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return pl.DataFrame({"": [None] * len(rows)}).drop("")
    kinds = {name: {_kind(row[name]) for row in rows if name in row} - {""} for name in names}
    mixed = {name for name, found in kinds.items() if len(found) > 1}
    nested = {name for name, found in kinds.items() if found & {"list", "dict"}}
    for as_text in (mixed, mixed | nested):
        text = "\n".join(
            json.dumps(
                {
                    name: _as_text(value) if name in as_text else value
                    for name, value in row.items()
                },
                ensure_ascii=False,
            )
            for row in rows
        )
        try:
            frame = pl.read_ndjson(text.encode("utf-8"), infer_schema_length=None)
        except pl.exceptions.PolarsError:
            continue
        if frame.height == len(rows):
            return frame
    raise EpoxyError(
        "the values have no common type",
        where=file.name,
        remedy="Give every key the same type in all lines, or convert the file to Parquet.",
    )


def _kind(value: Any) -> str:
    if value is None:
        return ""
    return "number" if type(value) in (int, float) else type(value).__name__


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
