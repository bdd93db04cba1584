"""The Polars expressions behind the ready-made heuristics, each of the task folder."""

from pathlib import Path

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
    flag = "" if case else "(?i)"
    patterns = [keyword_pattern(word, whole_words) for word in words]
    if at_least == 1:
        combined = f"{flag}(?:{'|'.join(patterns)})"
        check_pattern(combined)
        return pl.col(column).str.contains(combined)
    found = [pl.col(column).str.contains(flag + pattern) for pattern in patterns]
    return pl.sum_horizontal(found) >= at_least


def regex_expression(pattern: str, column: str, folder: Path) -> pl.Expr:
    """Boolean: the pattern matches somewhere."""
    return pl.col(column).str.contains(pattern)


def length_expression(
    unit: str, low: int | None, high: int | None, column: str, folder: Path
) -> pl.Expr:
    """Boolean: the length is between ``low`` and ``high``, both included."""
    text = pl.col(column).str
    size = text.len_chars() if unit == "characters" else text.count_matches(r"\S+")
    bounds = [] if low is None else [size >= low]
    return pl.all_horizontal(bounds if high is None else [*bounds, size <= high])


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
    position = {label: code for code, label in enumerate(labels)}
    codes = [position[label] for label in table.values()]
    term = pl.element().replace_strict(list(table), codes, default=None, return_dtype=pl.Int16)
    found = value.str.extract_all(WORD).list.unique().list.eval(term)
    counts = [found.list.count_matches(code).cast(pl.Int32) for code in range(len(labels))]
    most = pl.max_horizontal(counts)
    if not labelled:
        return most > 0
    winners = pl.sum_horizontal([(count == most).cast(pl.Int32) for count in counts])
    winner = pl.coalesce(
        [
            pl.when(count == most).then(pl.lit(label))
            for count, label in zip(counts, labels, strict=True)
        ]
    )
    return pl.when((most > 0) & (winners == 1)).then(winner)
