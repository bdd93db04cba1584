"""Words, patterns and lookup tables of the ready-made heuristics: read and checked."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import polars as pl

from epoxy_core.errors import EpoxyError

WORD = r"[\w'’]+"
"""What `lookup` takes for a word."""

Rows = tuple[tuple[str, str | None], ...]


def refuse(problem: str, remedy: str, where: str = "") -> NoReturn:
    """Raise the `EpoxyError`; whoever knows the heuristic's name adds it."""
    raise EpoxyError(problem, where=where, remedy=remedy)


def check_pattern(pattern: str) -> None:
    """Raise `EpoxyError` unless Polars can match ``pattern``."""
    try:
        pl.Series([""]).str.contains(pattern)
    except (pl.exceptions.PolarsError, TypeError) as error:
        problem = str(error).partition("\n\nThis error occurred")[0]
        refuse(
            f"not a regular expression Polars can use: {problem}",
            "Polars uses Rust's regex: no look-around, no back-references. Rewrite the pattern, "
            "or write a Python labeling function with `re`.",
        )


def check_keywords(words: Iterable[str], where: str) -> tuple[str, ...]:
    """Give the different keywords, sorted, white space folded: their order changes no vote."""
    unique = list(words)
    for word in unique:
        if not isinstance(word, str) or not word.strip():
            refuse(f"{word!r} is not a keyword", "Keywords are non-empty texts.", where)
    if not unique:
        refuse("there is no keyword", "List one at least.", where)
    return tuple(sorted({" ".join(word.split()) for word in unique}))


def keyword_pattern(word: str, whole: bool) -> str:
    """Regular expression of one keyword or phrase."""
    pattern = r"\s+".join(pl.escape_regex(part) for part in word.split())
    if not whole:
        return pattern
    # Next to a sign such as £ there is no word boundary to ask for.
    start = r"\b" if re.match(r"\w", word) else ""
    return start + pattern + (r"\b" if re.search(r"\w$", word) else "")


def read_lines(file: Path) -> list[str]:
    """Lines of a text file, stripped, without empty ones and ``#`` comments."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refuse(
            f"cannot be read: {error}",
            "The path is relative to the task folder, the encoding UTF-8.",
            str(file),
        )
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def read_rows(file: Path, labelled: bool) -> Rows:
    """(term, label) of a CSV file with a header; without ``labelled``, labels are None."""
    lines = list(csv.reader(read_lines(file), skipinitialspace=True))
    header = [column.strip() for column in lines[0]] if lines else []
    wanted = ["term", "label"] if labelled else ["term"]
    if any(column not in header for column in wanted):
        refuse(
            f"the columns are {header}",
            f"Start the file with a header line: {','.join(wanted)}.",
            str(file),
        )
    rows = []
    for row in lines[1:]:
        if len(row) != len(header):
            refuse(
                f"{len(row)} fields where the header has {len(header)}: {','.join(row)}",
                "Quote a field that holds a comma.",
                str(file),
            )
        fields = dict(zip(header, map(str.strip, row), strict=True))
        rows.append((fields["term"], fields["label"] if labelled else None))
    return tuple(rows)


def check_table(rows: Rows, where: str, match: str, case: bool, labelled: bool) -> dict[str, str]:
    """Term → class name, sorted by term, terms folded to lower case unless ``case``."""
    if not rows:
        refuse("the table is empty", "Give one term at least.", where)
    table: dict[str, str] = {}
    for term, label in rows:
        if not isinstance(term, str) or not term.strip():
            refuse(f"{term!r} is not a term", "Terms are non-empty texts.", where)
        if labelled and (not isinstance(label, str) or not label):
            refuse(
                f"{term!r} has {label!r} for a class",
                "Give a class name for every term, or one `vote` for all.",
                where,
            )
        if match == "words" and not re.fullmatch(WORD, term):
            refuse(
                f"{term!r} is not one word of letters and digits",
                "Use a keywords or regex heuristic for phrases and signs, or match: value.",
                where,
            )
        key = term if case else str(pl.Series([term]).str.to_lowercase()[0])
        if table.setdefault(key, label or "") != (label or ""):
            refuse(f"{term!r} has two classes", "Keep one of the rows.", where)
    return dict(sorted(table.items()))
