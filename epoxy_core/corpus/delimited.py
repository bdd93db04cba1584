"""CSV and TSV: which records are sound is Python's ``csv`` to say; Polars reads the columns."""

import csv
import io
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from epoxy_core.corpus.decode import MARK, is_utf8, text_lines
from epoxy_core.corpus.files import SourceFile
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.errors import EpoxyError
from epoxy_core.task import Source

_CR = "\udc0d"
"""Stands for a carriage return inside a field, which ``csv`` takes for the end of a record."""

_SEPARATORS = {"csv": ",", "tsv": "\t"}


def read_delimited(
    file: SourceFile, source: Source, as_text: set[str], findings: Findings
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
        If there is no header, or it names a column twice.
    """
    plain = is_utf8(source.encoding)
    with _fields_of_any_length():
        records = _records(file, source)
        names, first = source.columns, 0
        if names is None:
            first, names = _header(file, records)
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
            frame = _scan(file.path, names, as_text, _SEPARATORS[file.format], source.quote, first)
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
    """Number of lines up to the end of the header, and the column names."""
    for line, record, raw in records:
        if record is None or MARK in raw:
            break
        if not record:
            continue
        names = [name or f"column_{position}" for position, name in enumerate(record, 1)]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise EpoxyError(
                f"the header has {twice[0]!r} twice",
                where=f"{file.name}:{line}",
                remedy="Rename one of the two, or name all columns in source.columns "
                "after removing the header row.",
            )
        return line + raw.removesuffix("\n").count("\n"), names
    raise EpoxyError(
        "no readable header row",
        where=file.name,
        remedy="Add one, or name the columns in source.columns.",
    )


def _records(file: SourceFile, source: Source) -> Iterator[tuple[int, list[str] | None, str]]:
    """First line, fields (none: a blank line; None: malformed) and raw text of every record.

    A record whose quotes do not close as they should costs its first line only: reading goes on
    with the next one.
    """
    lines = text_lines(file.path, source.encoding)
    again: deque[str] = deque()
    consumed: list[str] = []

    def feed() -> Iterator[str]:
        while True:
            line = again.popleft() if again else next(lines, "")
            if not line:
                return
            consumed.append(line)
            yield line if "\r" not in line else _keep_returns(line)

    def reader() -> Iterator[list[str]]:
        separator = _SEPARATORS[file.format]
        if source.quote:
            return csv.reader(feed(), delimiter=separator, quotechar=source.quote, strict=True)
        return csv.reader(feed(), delimiter=separator, quoting=csv.QUOTE_NONE)

    number, rows = 1, reader()
    while True:
        consumed.clear()
        try:
            record = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield number, None, consumed[0]
            again.extendleft(reversed(consumed[1:]))
            number, rows = number + 1, reader()
            continue
        yield number, record, consumed[0] if len(consumed) == 1 else "".join(consumed)
        number += len(consumed)


def _keep_returns(line: str) -> str:
    if line.endswith("\r\n"):
        return line[:-2].replace("\r", _CR) + "\r\n"
    return line.replace("\r", _CR)


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


def _rewritten(file: SourceFile, source: Source, names: list[str]) -> bytes:
    """The sound records as plain UTF-8 CSV without a header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    records = _records(file, source)
    if source.columns is None:
        _header(file, records)
    for _, record, raw in records:
        if record and _fault(record, raw, len(names)) is None:
            writer.writerow(
                [field.replace(_CR, "\r") for field in record] if _CR in "".join(record) else record
            )
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


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    """Lift ``csv``'s limit of 128 KiB a field, which is one for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
