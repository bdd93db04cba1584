"""Ready-made heuristics. Each is a labeling function on a Polars expression, hence fast."""

import csv
import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.lf import LabelingFunction, caller_location

_WORD = r"[\w'’]+"


def keywords(
    name: str,
    vote: str | int,
    words: Iterable[str] | None = None,
    *,
    file: str | None = None,
    case: bool = False,
    whole_words: bool = True,
    at_least: int = 1,
    column: str = "text",
) -> LabelingFunction:
    """Vote ``vote`` where at least ``at_least`` different keywords occur.

    Parameters
    ----------
    words, file
        Exactly one: the keywords, or a text file in the task folder with one per line (empty
        lines and lines that start with ``#`` are skipped). A keyword may be a phrase; a blank
        in it stands for any white space.
    case
        Whether upper and lower case differ.
    whole_words
        Whether ``win`` must not match in ``window``.

    Raises
    ------
    EpoxyError
        If a setting is out of range; for a file, when the task is loaded.
    """
    if (words is None) == (file is None):
        _refuse(name, "give exactly one of `words` and `file`", "Remove one of the two.")
    if isinstance(words, str):
        _refuse(name, "`words` is one text, not a list", f"Write words=[{words!r}].")
    if at_least < 1:
        _refuse(name, f"`at_least` is {at_least}", "It counts keywords: 1 or more.")
    chosen = None if words is None else _keywords_of(name, words, "words")
    build = functools.partial(
        _keywords, name, chosen, file, case=case, whole=whole_words, n=at_least, column=column
    )
    source = f"keywords of {file}" if chosen is None else f"any of {', '.join(chosen[:8])}"
    return _heuristic(name, vote, build, file, f"{source}{' …' if len(chosen or ()) > 8 else ''}")


def regex(name: str, vote: str | int, pattern: str, *, column: str = "text") -> LabelingFunction:
    """Vote ``vote`` where a regular expression matches somewhere.

    Polars' engine is the Rust ``regex`` crate: linear time, Unicode-aware, ``(?i)`` and the
    other inline flags, no look-around and no back-references.

    Raises
    ------
    EpoxyError
        If the pattern is not a regular expression of that engine.
    """
    _check_pattern(name, pattern)
    build = functools.partial(_regex, pattern, column=column)
    return _heuristic(name, vote, build, None, f"matches {pattern}")


def lookup(
    name: str,
    vote: str | int | None = None,
    *,
    table: Mapping[str, str] | Iterable[str] | None = None,
    file: str | None = None,
    match: Literal["words", "value"] = "words",
    case: bool = False,
    column: str = "text",
) -> LabelingFunction:
    """Vote the class that a table gives to the item's terms.

    The class with most different terms found wins; a tie abstains.

    Parameters
    ----------
    vote
        One class for all terms; then the table needs no labels.
    table, file
        Exactly one: a mapping of term to class name (with ``vote``, a list of terms does), or a
        CSV file in the task folder with a header ``term,label`` (with ``vote``, ``term`` does).
    match
        ``words``: look up each word of the column (letters, digits, ``_`` and apostrophes).
        ``value``: look up the column's whole value, as for a sender or a domain.
    case
        Whether upper and lower case differ.

    Raises
    ------
    EpoxyError
        If the table is missing, empty, contradicts itself, or holds a term that is not one word
        where words are looked up; for a file, when the task is loaded.
    """
    if (table is None) == (file is None):
        _refuse(name, "give exactly one of `table` and `file`", "Remove one of the two.")
    if isinstance(table, str):
        _refuse(name, "`table` is one text", "Give a mapping of term to class, or a list.")
    if match not in ("words", "value"):
        _refuse(name, f"`match` is {match!r}", "It is 'words' or 'value'.")
    rows = None
    if isinstance(table, Mapping):
        rows = tuple((term, None if vote is not None else label) for term, label in table.items())
    elif table is not None:
        rows = tuple((term, None) for term in table)
    if rows is not None:
        _table_of(name, rows, "table", match, case, vote is not None)
    build = functools.partial(
        _lookup, name, rows, file, match=match, case=case, boolean=vote is not None, column=column
    )
    return _heuristic(name, vote, build, file, f"{match} looked up in {file or 'a table'}")


def length(
    name: str,
    vote: str | int,
    *,
    unit: Literal["characters", "words"] = "characters",
    min: int | None = None,
    max: int | None = None,
    column: str = "text",
) -> LabelingFunction:
    """Vote ``vote`` where the length lies between ``min`` and ``max``, both included.

    A word is what stands between white space.

    Raises
    ------
    EpoxyError
        If neither bound is given, or they exclude everything.
    """
    if unit not in ("characters", "words"):
        _refuse(name, f"`unit` is {unit!r}", "It is 'characters' or 'words'.")
    if min is None and max is None:
        _refuse(name, "neither `min` nor `max` is given", "Give one or both.")
    if (max is not None and max < 0) or (min is not None and max is not None and min > max):
        _refuse(name, f"no text has a length from {min} to {max}", "Swap or widen them.")
    build = functools.partial(_length, unit, min, max, column=column)
    shown = " to ".join("…" if bound is None else str(bound) for bound in (min, max))
    return _heuristic(name, vote, build, None, f"{shown} {unit}")


def _keywords(
    name: str,
    words: tuple[str, ...] | None,
    file: str | None,
    folder: Path,
    *,
    case: bool,
    whole: bool,
    n: int,
    column: str,
) -> pl.Expr:
    if words is None:
        words = _keywords_of(name, _lines(name, folder / str(file)), str(folder / str(file)))
    flag = "" if case else "(?i)"
    patterns = [_keyword_pattern(word, whole) for word in words]
    if n == 1:
        combined = f"{flag}(?:{'|'.join(patterns)})"
        _check_pattern(name, combined)
        return pl.col(column).str.contains(combined)
    found = [pl.col(column).str.contains(flag + pattern) for pattern in patterns]
    return pl.sum_horizontal(found) >= n


def _regex(pattern: str, folder: Path, *, column: str) -> pl.Expr:
    return pl.col(column).str.contains(pattern)


def _lookup(
    name: str,
    rows: tuple[tuple[str, str | None], ...] | None,
    file: str | None,
    folder: Path,
    *,
    match: str,
    case: bool,
    boolean: bool,
    column: str,
) -> pl.Expr:
    where = "table" if file is None else str(folder / file)
    if rows is None:
        rows = _table_rows(name, folder / str(file), boolean)
    table = _table_of(name, rows, where, match, case, boolean)
    labels = sorted(set(table.values()))
    codes = [labels.index(label) for label in table.values()]
    value = pl.col(column).cast(pl.String)
    value = value if case else value.str.to_lowercase()
    if match == "value":
        label = value.replace_strict(
            list(table), list(table.values()), default=None, return_dtype=pl.String
        )
        return label.is_not_null() if boolean else label
    found = (
        value.str.extract_all(_WORD)
        .list.unique()
        .list.eval(
            pl.element().replace_strict(list(table), codes, default=None, return_dtype=pl.Int16)
        )
    )
    counts = [found.list.count_matches(code).cast(pl.Int32) for code in range(len(labels))]
    most = pl.max_horizontal(counts)
    if boolean:
        return most > 0
    winners = pl.sum_horizontal([(count == most).cast(pl.Int32) for count in counts])
    choice = pl.coalesce(
        [
            pl.when(count == most).then(pl.lit(label))
            for count, label in zip(counts, labels, strict=True)
        ]
    )
    return pl.when((most > 0) & (winners == 1)).then(choice)


def _length(unit: str, low: int | None, high: int | None, folder: Path, *, column: str) -> pl.Expr:
    text = pl.col(column).str
    size = text.len_chars() if unit == "characters" else text.count_matches(r"\S+")
    bounds = [] if low is None else [size >= low]
    return pl.all_horizontal(bounds if high is None else [*bounds, size <= high])


def _heuristic(
    name: str,
    vote: str | int | None,
    build: functools.partial[pl.Expr],
    file: str | None,
    description: str,
) -> LabelingFunction:
    return LabelingFunction(
        name=name,
        function=build,
        kind="heuristic",
        vote=vote,
        files=() if file is None else (file,),
        description=description,
        location=caller_location(),
    )


def _keywords_of(name: str, words: Iterable[str], source: str) -> tuple[str, ...]:
    unique = dict.fromkeys(words)
    bad = [word for word in unique if not isinstance(word, str) or not word.strip()]
    if bad:
        _refuse(name, f"{bad[0]!r} in {source} is not a keyword", "Keywords are non-empty texts.")
    if not unique:
        _refuse(name, f"{source} has no keyword", "List one at least.")
    return tuple(sorted(" ".join(word.split()) for word in unique))


def _keyword_pattern(word: str, whole: bool) -> str:
    pattern = r"\s+".join(pl.escape_regex(part) for part in word.split())
    if not whole:
        return pattern
    # Next to a sign such as £ there is no word boundary to ask for.
    start = r"\b" if re.match(r"\w", word) else ""
    return start + pattern + (r"\b" if re.search(r"\w$", word) else "")


def _check_pattern(name: str, pattern: str) -> None:
    try:
        pl.Series([""]).str.contains(pattern)
    except (pl.exceptions.PolarsError, TypeError) as error:
        problem = str(error).partition("\n\nThis error occurred")[0]
        _refuse(
            name,
            f"not a regular expression Polars can use: {problem}",
            "Polars uses Rust's regex: no look-around, no back-references. Rewrite the pattern, "
            "or write a Python labeling function with `re`.",
        )


def _lines(name: str, file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _refuse(name, f"cannot read {file}: {error}", "Paths are relative to the task folder.")
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def _table_rows(name: str, file: Path, boolean: bool) -> tuple[tuple[str, str | None], ...]:
    lines = list(csv.reader(_lines(name, file)))
    header = [column.strip() for column in lines[0]] if lines else []
    wanted = ["term"] if boolean else ["term", "label"]
    if any(column not in header for column in wanted):
        _refuse(
            name,
            f"{file} has the columns {header}",
            f"Start it with a header line: {','.join(wanted)}.",
        )
    rows = []
    for number, row in enumerate(lines[1:], 1):
        if len(row) != len(header):
            _refuse(
                name,
                f"{file}: table row {number} has {len(row)} fields, not {len(header)}: {row}",
                "Quote a field that holds a comma.",
            )
        fields = dict(zip(header, map(str.strip, row), strict=True))
        rows.append((fields["term"], None if boolean else fields["label"]))
    return tuple(rows)


def _table_of(
    name: str,
    rows: tuple[tuple[str, str | None], ...],
    where: str,
    match: str,
    case: bool,
    boolean: bool,
) -> dict[str, str]:
    """Term → class name (with ``boolean``, the empty text), folded to lower case as needed."""
    if not rows:
        _refuse(name, f"{where} is empty", "Give one term at least.")
    table: dict[str, str] = {}
    for term, label in rows:
        if not isinstance(term, str) or not term.strip():
            _refuse(name, f"{where}: {term!r} is not a term", "Terms are non-empty texts.")
        if not boolean and (not isinstance(label, str) or not label):
            _refuse(
                name,
                f"{where}: {term!r} has {label!r} for a class",
                "Give a class name for every term, or one `vote` for all.",
            )
        key = term if case else _folded(term)
        if match == "words" and not re.fullmatch(_WORD, key):
            _refuse(
                name,
                f"{where}: {term!r} is not one word of letters and digits",
                "Use a `keywords` or `regex` heuristic for phrases and signs, or match='value'.",
            )
        if table.setdefault(key, label or "") != (label or ""):
            _refuse(name, f"{where}: {term!r} has two classes", "Keep one of the rows.")
    return dict(sorted(table.items()))


def _folded(term: str) -> str:
    return str(pl.Series([term]).str.to_lowercase()[0])


def _refuse(name: str, problem: str, remedy: str) -> Any:
    raise EpoxyError(problem, where=f"heuristic {name!r}", remedy=remedy)
