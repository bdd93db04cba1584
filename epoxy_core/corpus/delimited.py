"""CSV and TSV: which records are sound is Python's ``csv`` to say; Polars reads the columns."""

import csv
import io
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from epoxy_core.corpus.decode import MARK, is_utf8
from epoxy_core.corpus.files import SourceFile
from epoxy_core.corpus.records import RETURN, SEPARATORS, csv_records, fields_of_any_length
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource


def read_delimited(
    file: SourceFile, source: TextSource, as_text: set[str], findings: Findings
) -> tuple[pl.DataFrame, pl.Series]:
    """Read one CSV or TSV; malformed and undecodable records are counted and left out.

    Parameters
    ----------
    as_text
        Columns kept as String; the types of the others are inferred from the whole file.

    Returns
    -------
    frame, lines
        The sound records, and the line each starts on.

    Raises
    ------
    EpoxyError
        If there is no header, or two columns have one name.
    """
    plain = is_utf8(source.encoding)
    with fields_of_any_length():
        records = csv_records(file, source)
        names, first = source.columns, 0
        if names is None:
            first, names = _header(file, records)
        _refuse_repeats(file, names)
        lines = array("q")
        clean = plain
        bad: dict[str, list[tuple[str, int, str]]] = {"malformed": [], "undecodable": []}
        for line, record, raw in records:
            kind = _fault(record, raw, len(names))
            if kind is not None:
                clean = False
                bad[kind].append((file.name, line, _shown(kind, record, raw, len(names))))
            elif record:
                lines.append(line)
            else:
                clean = False
        for kind, found in bad.items():
            findings.add(kind, source.on_bad_row, len(found), found[:MAX_EXAMPLES])
        if not lines:
            return pl.DataFrame(schema=dict.fromkeys(names, pl.String)), _series(lines)
        frame = None
        if clean:
            frame = _scan(file.path, names, as_text, SEPARATORS[file.format], source.quote, first)
        if frame is None or frame.height != len(lines):
            frame = _scan(_rewritten(file, source, names), names, as_text, ",", '"', 0)
    if frame is None or frame.height != len(lines):
        raise EpoxyError(
            "the columns could not be read",
            where=file.name,
            remedy="Check source.quote and source.encoding, or convert the file to Parquet.",
        )
    return frame, _series(lines)


def _series(lines: Iterable[int]) -> pl.Series:
    return pl.Series("line", lines, dtype=pl.Int64)


def _header(
    file: SourceFile, records: Iterator[tuple[int, list[str] | None, str]]
) -> tuple[int, list[str]]:
    """Read up to the header; return the number of lines so far and the column names."""
    fault = "the file is empty"
    for line, record, raw in records:
        if record is None or MARK in raw:
            fault = "it has malformed quotes" if record is None else "it is not text"
            break
        if not record:
            continue
        names = [name or f"column_{position}" for position, name in enumerate(record, 1)]
        return line + raw.removesuffix("\n").count("\n"), names
    raise EpoxyError(
        f"no readable header row: {fault}",
        where=file.name,
        remedy="Mend it, correct source.encoding or source.quote, or name the columns in "
        "source.columns.",
    )


def _refuse_repeats(file: SourceFile, names: list[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise EpoxyError(
            f"two columns are named {twice[0]!r}",
            where=file.name,
            remedy="Rename one of the two, in the header row or in source.columns.",
        )


def _fault(record: list[str] | None, raw: str, width: int) -> str | None:
    if MARK in raw:
        return "undecodable"
    if record is None or (record and len(record) != width):
        return "malformed"
    return None


def _shown(kind: str, record: list[str] | None, raw: str, width: int) -> str:
    raw = raw.rstrip("\r\n").replace(MARK, "\ufffd")
    if kind == "undecodable":
        return raw
    if record is None:
        return f"unbalanced quotes: {raw}"
    return f"{len(record)} instead of {width} fields: {raw}"


def _rewritten(file: SourceFile, source: TextSource, names: list[str]) -> bytes:
    """Write the sound records as plain UTF-8 CSV without a header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    records = csv_records(file, source)
    if source.columns is None:
        _header(file, records)
    for _, record, raw in records:
        if record and _fault(record, raw, len(names)) is None:
            writer.writerow(field.replace(RETURN, "\r") for field in record)
    return buffer.getvalue().encode("utf-8")


def _scan(
    data: Path | bytes,
    names: list[str],
    as_text: set[str],
    separator: str,
    quote: str | None,
    skip_lines: int,
) -> pl.DataFrame | None:
    """Read the columns with Polars; None where it does not see what ``csv`` saw."""
    positions = [position for position, name in enumerate(names) if name in as_text]
    try:
        frame = pl.scan_csv(
            data,
            separator=separator,
            quote_char=quote,
            has_header=False,
            skip_lines=skip_lines,
            infer_schema_length=None,
            schema_overrides={f"column_{position}": pl.String for position in positions},
            glob=False,
        ).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(names):
        return None
    frame.columns = names
    return frame
