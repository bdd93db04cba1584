"""Gold labels: from names to class positions, and from ids to the dev and test splits."""

import hashlib

import polars as pl

from epoxy_core.corpus.files import labels_source, resolve_files
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.corpus.tables import FILE, LINE, read_table
from epoxy_core.section import BadRow
from epoxy_core.source_settings import GoldLabels
from epoxy_core.task import Task

LABEL = "__label"
"""The gold label as it is written in the source."""

GOLD_SCHEMA = {"item_id": pl.String, "split": pl.String, "label": pl.Int8}

_SALT = b"epoxy-split:"


def read_label_file(task: Task, findings: Findings) -> tuple[pl.DataFrame, list[str]]:
    """Read ``labels.file``.

    Returns
    -------
    frame, names
        Columns item_id, `LABEL`, `FILE`, `LINE`; and the file names that `FILE` counts. No rows if
        the task has no separate file.

    Raises
    ------
    EpoxyError
        As `resolve_files` and `read_table`.
    """
    source = labels_source(task)
    if source is None:
        schema = {"item_id": pl.String, LABEL: pl.String, FILE: pl.Int64, LINE: pl.Int64}
        return pl.DataFrame(schema=schema), []
    files = resolve_files(task.folder, source, "labels.file")
    setting = f"the header of {task.labels.file if task.labels else ''}"
    table = read_table(files, source, {"id": setting, "label": setting}, findings)
    names = [file.name for file in files]
    rows = table.frame.select(
        pl.col("id").alias("item_id"), pl.col("label").alias(LABEL), FILE, LINE
    )
    nameless = rows.filter(pl.col("item_id").fill_null("").str.strip_chars() == "")
    findings.add(
        "missing_id", source.on_bad_row, nameless.height, _examples(nameless, names, LABEL)
    )
    return rows.filter(pl.col("item_id").str.strip_chars() != ""), names


def gold_labels(
    settings: GoldLabels,
    classes: list[str],
    written: pl.DataFrame,
    names: list[str],
    item_ids: pl.Series,
    on_duplicate: BadRow,
    findings: Findings,
) -> pl.DataFrame:
    """Turn labels as written into the gold frame.

    A label is a class name or, if no class name is itself a number, a class position. Null and
    blank mean unlabelled. The first label of an item counts.

    Parameters
    ----------
    written
        Columns item_id, `LABEL`, `FILE`, `LINE`; an id may repeat.
    names
        File names that `FILE` counts.
    item_ids
        Ids of the corpus.

    Returns
    -------
    polars.DataFrame
        item_id, split ("dev" or "test"), label (Int8, class position), sorted by item_id.
    """
    given = written.with_columns(pl.col(LABEL).str.strip_chars()).filter(pl.col(LABEL) != "")
    given = given.with_columns(_position(given[LABEL], classes))
    unknown = given.filter(pl.col("label").is_null())
    findings.add(
        "unknown_class",
        settings.on_unknown_class,
        unknown.height,
        _each_value(unknown, names),
    )
    given = given.filter(pl.col("label").is_not_null())
    first = given.unique("item_id", keep="first", maintain_order=True)
    other = given.join(
        first.select("item_id", pl.col("label").alias("first")), on="item_id", maintain_order="left"
    ).filter(pl.col("label") != pl.col("first"))
    findings.add(
        "conflicting_label",
        on_duplicate,
        other.height,
        _examples(other, names, LABEL),
    )
    known = pl.col("item_id").is_in(item_ids.implode())
    strangers = first.filter(~known)
    findings.add("unknown_item", "report", strangers.height, _examples(strangers, names, "item_id"))
    gold = first.filter(known)
    split = split_of(gold["item_id"], settings.dev, settings.test)
    return (
        gold.select("item_id", split, "label")
        .filter(pl.col("split") != "unlabeled")
        .sort("item_id")
    )


def split_of(item_ids: pl.Series, dev: float, test: float) -> pl.Series:
    """Assign labelled items to splits by a fixed hash of the id: new rows move no old one.

    Parameters
    ----------
    item_ids
        String.
    dev, test
        Shares of the two splits; what remains is "unlabeled".

    Returns
    -------
    polars.Series
        String, named ``split``.
    """
    splits = []
    for item_id in item_ids:
        digest = hashlib.blake2b(_SALT + item_id.encode("utf-8"), digest_size=8).digest()
        position = (int.from_bytes(digest, "big") >> 11) / (1 << 53)
        splits.append("dev" if position < dev else "test" if position < dev + test else "unlabeled")
    return pl.Series("split", splits, dtype=pl.String)


def _position(labels: pl.Series, classes: list[str]) -> pl.Series:
    positions = {name.strip(): position for position, name in enumerate(classes)}
    if not any(name.strip().lstrip("+-").isdigit() for name in classes):
        positions |= {str(position): position for position in range(len(classes))}
    return labels.replace_strict(positions, default=None, return_dtype=pl.Int8).alias("label")


def _examples(rows: pl.DataFrame, names: list[str], shown: str) -> list[tuple[str, int, str]]:
    return [
        (names[file], line, value or "")
        for file, line, value in rows.select(FILE, LINE, shown).head(MAX_EXAMPLES).rows()
    ]


def _each_value(rows: pl.DataFrame, names: list[str]) -> list[tuple[str, int, str]]:
    """Show the first row of each value, most frequent values first."""
    values = (
        rows.group_by(LABEL, maintain_order=True)
        .agg(pl.len(), pl.col(FILE).first(), pl.col(LINE).first())
        .sort("len", descending=True, maintain_order=True)
        .head(MAX_EXAMPLES)
    )
    return [
        (names[file], line, f"{value} ({count} rows)")
        for value, count, file, line in values.select(LABEL, "len", FILE, LINE).rows()
    ]
