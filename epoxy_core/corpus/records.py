"""The records of a CSV or TSV file, sound or not, by Python's ``csv``."""

import csv
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from epoxy_core.corpus.decode import text_lines
from epoxy_core.corpus.files import SourceFile
from epoxy_core.source_settings import TextSource

SEPARATORS = {"csv": ",", "tsv": "\t"}

RETURN = "\udc0d"
"""Stands for a carriage return inside a field, which ``csv`` takes for the end of a record."""


def csv_records(
    file: SourceFile, source: TextSource
) -> Iterator[tuple[int, list[str] | None, str]]:
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
        separator = SEPARATORS[file.format]
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
        return line[:-2].replace("\r", RETURN) + "\r\n"
    return line.replace("\r", RETURN)


@contextmanager
def fields_of_any_length() -> Iterator[None]:
    """Lift ``csv``'s limit of 128 KiB a field, which is one for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
