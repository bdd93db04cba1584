"""The Polars expressions behind the ready-made heuristics, each of the task folder."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from epoxy_core.labeling.tables import (
    WORD,
    Rows,
    check_keywords,
    check_pattern,
    check_table,
    keyword_pattern,
    read_lines,
    read_rows,
)

ONE_PATTERN = 200
"""How many keywords one regular expression looks for."""

ONE_CHOICE = 1000
"""How many terms one regular expression looks for as texts, without word boundaries."""

_PLAIN = re.compile(r"[A-Za-z0-9_]+")


def keywords_expression(
    words: tuple[str, ...] | None,
    file: str | None,
    case: bool,
    whole_words: bool,
    at_least: int,
    column: str,
    folder: Path,
) -> pl.Expr:
    """Boolean: ``at_least`` different keywords occur."""
    if words is None:
        source = folder / str(file)
        words = check_keywords(read_lines(source), str(source))
    text = pl.col(column)
    if len(words) > ONE_PATTERN and whole_words:
        plain = [word for word in words if _PLAIN.fullmatch(word)]
        others = [word for word in words if not _PLAIN.fullmatch(word)]
        count = _words_found(text, plain, case)
        for first in range(0, len(others), ONE_PATTERN):
            part = others[first : first + ONE_PATTERN]
            count = count + _patterns_found(text, part, case, whole_words, at_least)
        return count >= at_least
    return _patterns_found(text, words, case, whole_words, at_least) >= at_least


def _patterns_found(
    text: pl.Expr, words: Sequence[str], case: bool, whole_words: bool, at_least: int
) -> pl.Expr:
    """How many of the keywords occur, by regular expressions; of one, whether any does."""
    flag = "" if case else "(?i)"
    patterns = [keyword_pattern(word, whole_words) for word in words]
    combined = f"{flag}(?:{'|'.join(patterns)})"
    check_pattern(combined)
    any_found = text.str.contains(combined)
    if at_least == 1:
        return any_found.fill_null(False).cast(pl.UInt32)
    text = pl.when(any_found).then(text)  # null costs nothing, and most texts have none
    return pl.sum_horizontal(text.str.contains(flag + pattern) for pattern in patterns)


def _words_found(text: pl.Expr, words: Sequence[str], case: bool) -> pl.Expr:
    """How many of many keywords of ASCII letters, digits and ``_`` occur as whole words.

    By a table of words: a regular expression of a thousand alternatives takes a thousandfold time.
    """
    if not case:
        # As (?i) has it: the long s is an s. Other letters that fold to ASCII have it for a lower
        # case, too.
        text = text.str.to_lowercase().str.replace_all("\u017f", "s", literal=True)
        words = [word.lower() for word in words]
    counts = Counter(words)
    number = pl.element().replace_strict(
        list(counts), list(counts.values()), default=0, return_dtype=pl.UInt32
    )
    return text.str.extract_all(r"\w+").list.unique().list.eval(number).list.sum().fill_null(0)


def regex_expression(pattern: str, column: str, folder: Path) -> pl.Expr:
    """Boolean: the pattern matches somewhere."""
    return pl.col(column).str.contains(pattern)


def length_expression(
    unit: str, low: int | None, high: int | None, column: str, folder: Path
) -> pl.Expr:
    """Boolean: the length is between ``low`` and ``high``, both included."""
    text = pl.col(column).str
    size = text.len_chars() if unit == "characters" else text.count_matches(r"\S+")
    return _between(size, low, high)


def between_expression(low: float | None, high: float | None, column: str, folder: Path) -> pl.Expr:
    """Boolean: the number is between ``low`` and ``high``, both included."""
    return _between(pl.col(column).cast(pl.Float64).fill_nan(None), low, high)


def lookup_expression(
    rows: Rows | None,
    file: str | None,
    match: str,
    case: bool,
    labelled: bool,
    column: str,
    folder: Path,
) -> pl.Expr:
    """Class name of the terms found, or null; Boolean (any found) without ``labelled``."""
    if rows is None:
        rows = read_rows(folder / str(file), labelled)
    where = "table" if file is None else str(folder / file)
    table = check_table(rows, where, match, case, labelled)
    value = pl.col(column).cast(pl.String)
    value = value if case else value.str.to_lowercase()
    if match == "value":
        label = value.replace_strict(
            list(table), list(table.values()), default=None, return_dtype=pl.String
        )
        return label if labelled else label.is_not_null()
    labels = sorted(set(table.values()))
    codes = [labels.index(label) for label in table.values()]
    label = pl.element().replace_strict(list(table), codes, default=None, return_dtype=pl.Int16)
    if len(table) <= ONE_CHOICE:  # splitting texts is slow, and most have no term
        terms = "|".join(pl.escape_regex(term) for term in table)
        value = pl.when(value.str.contains(terms)).then(value)
    words = value.str.extract_all(WORD).list.unique()
    if not labelled:
        return words.list.eval(label).list.drop_nulls().list.len() > 0
    # A tie reads "0 1" and so stands for no class. Each mention of the list in an expression
    # would count all words again; this way there is one.
    most_frequent = words.list.eval(label.drop_nulls().mode().cast(pl.String)).list.join(" ")
    return most_frequent.replace_strict(
        [str(code) for code in range(len(labels))], labels, default=None, return_dtype=pl.String
    )


def _between(number: pl.Expr, low: float | None, high: float | None) -> pl.Expr:
    bounds = [] if low is None else [number >= low]
    return pl.all_horizontal(bounds if high is None else [*bounds, number <= high])


def table_labels(build: Callable[..., Any], folder: Path) -> list[str]:
    """Class names in the table of a `lookup_expression`; none for other heuristics.

    Raises
    ------
    EpoxyError
        As `lookup_expression` does.
    """
    if not isinstance(build, functools.partial) or build.func is not lookup_expression:
        return []
    rows, file, _, _, labelled, _ = build.args
    rows = read_rows(folder / file, labelled) if rows is None else rows
    return sorted({label for _, label in rows if label is not None})
