"""Ready-made heuristics. Each is a labeling function on a Polars expression, hence fast.

All vote a class or, with `Not`, against one; ``probability`` makes the votes soft, as in `Soft`.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import Literal

from epoxy_core.labeling.expressions import (
    between_expression,
    keywords_expression,
    length_expression,
    lookup_expression,
    regex_expression,
)
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.making import check_bounds, exactly_one, heuristic, in_words, naming
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
    with naming(name):
        exactly_one(words=words, file=file)
        if isinstance(words, str):
            refuse("`words` is one text, not a list", f"Write words=[{words!r}].")
        if at_least < 1:
            refuse(f"`at_least` is {at_least}", "It counts keywords: 1 or more.")
        chosen = None if words is None else check_keywords(words, "words")
    build = functools.partial(
        keywords_expression, chosen, file, case, whole_words, at_least, column
    )
    shown = f"keywords of {file}" if chosen is None else f"any of: {', '.join(chosen)}"
    return heuristic(name, vote, probability, build, shown, _files(file))


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
    with naming(name):
        check_pattern(pattern)
    build = functools.partial(regex_expression, pattern, column)
    return heuristic(name, vote, probability, build, f"matches {pattern}")


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
    with naming(name):
        exactly_one(table=table, file=file)
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
    shown = f"{match} looked up in {file or 'a table'}"
    return heuristic(name, vote, probability, build, shown, _files(file))


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
    with naming(name):
        if unit not in ("characters", "words"):
            refuse(f"`unit` is {unit!r}", "It is 'characters' or 'words'.")
        check_bounds(min, max, "text has a length")
        if max is not None and max < 0:
            refuse(f"no text has a length of at most {max}", "Raise it.")
    build = functools.partial(length_expression, unit, min, max, column)
    return heuristic(name, vote, probability, build, f"{in_words(min, max)} {unit}")


def between(
    name: str,
    vote: Vote,
    column: str,
    *,
    min: float | None = None,  # noqa: A002
    max: float | None = None,  # noqa: A002
    probability: float | None = None,
) -> LabelingFunction:
    """Vote ``vote`` where a column of numbers lies between ``min`` and ``max``, both included.

    Null and NaN abstain.

    Raises
    ------
    EpoxyError
        If neither bound is given, or they exclude everything.
    """
    with naming(name):
        check_bounds(min, max, "number lies")
    low, high = (None if bound is None else float(bound) for bound in (min, max))
    build = functools.partial(between_expression, low, high, column)
    return heuristic(name, vote, probability, build, f"{column} from {in_words(min, max)}")


def _files(file: str | None) -> tuple[str, ...]:
    return () if file is None else (file,)
