"""Ready-made heuristics. Each is a labeling function on a Polars expression, hence fast.

All vote a class or, with `Not`, against one; ``probability`` makes the votes soft, as in `Soft`.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.expressions import (
    keywords_expression,
    length_expression,
    lookup_expression,
    regex_expression,
)
from epoxy_core.labeling.lf import LabelingFunction, caller_location
from epoxy_core.labeling.tables import check_keywords, check_pattern, check_table, refuse
from epoxy_core.labeling.votes import Vote


def keywords(
    name: str,
    vote: Vote,
    words: Iterable[str] | None = None,
    *,
    file: str | None = None,
    case: bool = False,
    whole_words: bool = True,
    at_least: int = 1,
    column: str = "text",
    probability: float | None = None,
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
    with _naming(name):
        _exactly_one("words", words, "file", file)
        if isinstance(words, str):
            refuse("`words` is one text, not a list", f"Write words=[{words!r}].")
        if at_least < 1:
            refuse(f"`at_least` is {at_least}", "It counts keywords: 1 or more.")
        chosen = None if words is None else check_keywords(words, "words")
    build = functools.partial(
        keywords_expression, chosen, file, case, whole_words, at_least, column
    )
    shown = f"keywords of {file}" if chosen is None else f"any of: {', '.join(chosen)}"
    return _heuristic(name, vote, probability, build, file, shown)


def regex(
    name: str,
    vote: Vote,
    pattern: str,
    *,
    column: str = "text",
    probability: float | None = None,
) -> LabelingFunction:
    """Vote ``vote`` where a regular expression matches somewhere.

    Polars' engine is the Rust ``regex`` crate: linear time, Unicode-aware, ``(?i)`` and the
    other inline flags, no look-around and no back-references.

    Raises
    ------
    EpoxyError
        If the pattern is not a regular expression of that engine.
    """
    with _naming(name):
        check_pattern(pattern)
    build = functools.partial(regex_expression, pattern, column)
    return _heuristic(name, vote, probability, build, None, f"matches {pattern}")


def lookup(
    name: str,
    vote: Vote | None = None,
    *,
    table: Mapping[str, str] | Iterable[str] | None = None,
    file: str | None = None,
    match: Literal["words", "value"] = "words",
    case: bool = False,
    column: str = "text",
    probability: float | None = None,
) -> LabelingFunction:
    """Vote the class that a table gives to the item's terms.

    The class with most different terms found wins; a tie abstains.

    Parameters
    ----------
    vote
        One class for all terms; then the table needs no labels.
    table, file
        Exactly one: a mapping of term to class name (with ``vote``, a list of terms does), or a
        CSV file in the task folder with a header ``term,label`` (with ``vote``, ``term`` does);
        its empty lines and lines that start with ``#`` are skipped.
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
    labelled = vote is None
    with _naming(name):
        _exactly_one("table", table, "file", file)
        if isinstance(table, str):
            refuse("`table` is one text", "Give a mapping of term to class, or a list.")
        if match not in ("words", "value"):
            refuse(f"`match` is {match!r}", "It is 'words' or 'value'.")
        rows = None
        if table is not None:
            pairs = (
                table.items() if isinstance(table, Mapping) else ((term, None) for term in table)
            )
            rows = tuple(sorted((term, label if labelled else None) for term, label in pairs))
            check_table(rows, "table", match, case, labelled)
    build = functools.partial(lookup_expression, rows, file, match, case, labelled, column)
    return _heuristic(
        name, vote, probability, build, file, f"{match} looked up in {file or 'a table'}"
    )


def length(
    name: str,
    vote: Vote,
    *,
    unit: Literal["characters", "words"] = "characters",
    min: int | None = None,  # noqa: A002
    max: int | None = None,  # noqa: A002
    column: str = "text",
    probability: float | None = None,
) -> LabelingFunction:
    """Vote ``vote`` where the length lies between ``min`` and ``max``, both included.

    A word is what stands between white space.

    Raises
    ------
    EpoxyError
        If neither bound is given, or they exclude everything.
    """
    with _naming(name):
        if unit not in ("characters", "words"):
            refuse(f"`unit` is {unit!r}", "It is 'characters' or 'words'.")
        if min is None and max is None:
            refuse("neither `min` nor `max` is given", "Give one or both.")
        if (max is not None and max < 0) or (min is not None and max is not None and min > max):
            refuse(f"no text has a length from {min} to {max}", "Swap or widen them.")
    build = functools.partial(length_expression, unit, min, max, column)
    shown = " to ".join("…" if bound is None else str(bound) for bound in (min, max))
    return _heuristic(name, vote, probability, build, None, f"{shown} {unit}")


def _heuristic(
    name: str,
    vote: Vote | None,
    probability: float | None,
    build: functools.partial[pl.Expr],
    file: str | None,
    description: str,
) -> LabelingFunction:
    return LabelingFunction(
        name=name,
        function=build,
        kind="heuristic",
        vote=vote,
        probability=probability,
        files=() if file is None else (file,),
        description=description if len(description) <= 100 else f"{description[:99]}…",
        location=caller_location(),
    )


def _exactly_one(first: str, one: object, second: str, other: object) -> None:
    if (one is None) == (other is None):
        refuse(f"give exactly one of `{first}` and `{second}`", "Remove one, or add one.")


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except EpoxyError as error:
        where = f"heuristic {name!r}{', ' + error.where if error.where else ''}"
        raise EpoxyError(error.problem, where=where, remedy=error.remedy) from error
