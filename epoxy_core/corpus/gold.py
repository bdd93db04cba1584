"""Gold labels: from names to class positions, and from ids to the dev and test splits."""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.corpus.tables import FILE, LINE
from epoxy_core.section import BadRow
from epoxy_core.source_settings import GoldLabels

LABEL = "__label"
"""The gold label as it is written in the source."""

SPLIT = "__split"
"""The split that a label file gives; the column is absent where none does."""

GOLD_SCHEMA = {"item_id": pl.String, "split": pl.String, "label": pl.Int8}
SPLITS = ("unlabeled", "dev", "test")

_SALT = b"epoxy-split:"


@dataclass(frozen=True)
class Written:
    """Gold labels as they are written.

    Attributes
    ----------
    rows
        Columns item_id, `LABEL`, `FILE`, `LINE`, and `SPLIT` if the file gives splits; an id may
        repeat.
    names
        File names that `FILE` counts.
    """

    rows: pl.DataFrame
    names: list[str]


def gold_labels(
    settings: GoldLabels,
    classes: list[str],
    written: Written,
    items: pl.DataFrame,
    on_duplicate: BadRow,
    findings: Findings,
) -> pl.DataFrame:
    """Turn labels as written into the gold frame.

    A label is a class name or, if no class name is itself a number, a class position. Null and
    blank mean unlabelled. The first label of an item counts.

    Parameters
    ----------
    written
        Labels of items, by id.
    items
        Columns item_id, and ``together``: items of one value are in one split, unless the file
        gives splits.

    Returns
    -------
    polars.DataFrame
        item_id, split ("dev" or "test"), label (Int8, class position), sorted by item_id.
    """
    names = written.names
    given = written.rows.with_columns(pl.col(LABEL).str.strip_chars()).filter(pl.col(LABEL) != "")
    given = given.with_columns(_position(given[LABEL], classes))
    unknown = given.filter(pl.col("label").is_null())
    findings.add(
        "unknown_class",
        settings.on_unknown_class,
        unknown.height,
        _each_value(unknown, names),
    )
    given = given.filter(pl.col("label").is_not_null())
    if SPLIT in given.columns:
        given = _with_sound_splits(given, names, findings)
    first = given.unique("item_id", keep="first", maintain_order=True)
    kept = first.select("item_id", first=pl.struct("label", *_given_split(first)))
    other = given.join(kept, on="item_id", maintain_order="left").filter(
        pl.struct("label", *_given_split(given)) != pl.col("first")
    )
    findings.add(
        "conflicting_label",
        on_duplicate,
        other.height,
        examples(other, names, LABEL),
    )
    known = pl.col("item_id").is_in(items["item_id"].implode())
    strangers = first.filter(~known)
    findings.add("unknown_item", "report", strangers.height, examples(strangers, names, "item_id"))
    gold = first.join(items, on="item_id", how="inner", maintain_order="left")
    if SPLIT in gold.columns:
        split = gold[SPLIT].alias("split")
    else:
        split = split_of(gold["together"], settings.dev, settings.test)
    return (
        gold.select("item_id", split, "label")
        .filter(pl.col("split") != "unlabeled")
        .sort("item_id")
    )


def split_of(together: pl.Series, dev: float, test: float) -> pl.Series:
    """Assign labelled items to splits by a fixed hash of the id: new rows move no old one.

    Parameters
    ----------
    together
        String: the items' ids, or what items of one split have in common.
    dev, test
        Shares of the two splits; what remains is "unlabeled".

    Returns
    -------
    polars.Series
        String, named ``split``.
    """
    salted = hashlib.blake2b(_SALT, digest_size=8)

    def digest(name: str) -> bytes:
        hashed = salted.copy()
        hashed.update(name.encode("utf-8"))
        return hashed.digest()

    positions = np.frombuffer(b"".join(map(digest, together.to_list())), ">u8") >> 11
    share = positions / (1 << 53)
    splits = np.where(share < dev, 1, np.where(share < dev + test, 2, 0))
    return pl.Series("split", SPLITS, dtype=pl.String).gather(splits)


def label_remedies(classes: list[str]) -> dict[str, str]:
    """What to do about labels that are wrong, by kind of problem."""
    return {
        "unknown_class": f"The classes are {', '.join(map(repr, classes))}. Correct the "
        "labels or classes, or set labels.on_unknown_class: skip.",
        "unknown_split": "A split is dev, test or unlabeled. Correct these, or remove the column: "
        "then labels.dev and labels.test are shares.",
    }


def examples(rows: pl.DataFrame, names: list[str], shown: str) -> list[tuple[str, int, str]]:
    """The first rows as (file, line, what the column ``shown`` says)."""
    return [
        (names[file], line, value or "")
        for file, line, value in rows.select(FILE, LINE, shown).head(MAX_EXAMPLES).rows()
    ]


def _with_sound_splits(given: pl.DataFrame, names: list[str], findings: Findings) -> pl.DataFrame:
    given = given.with_columns(pl.col(SPLIT).fill_null("").str.strip_chars())
    sound = pl.col(SPLIT).is_in(SPLITS)
    bad = given.filter(~sound)
    findings.add("unknown_split", "error", bad.height, examples(bad, names, SPLIT))
    return given.filter(sound)


def _given_split(rows: pl.DataFrame) -> list[str]:
    return [SPLIT] if SPLIT in rows.columns else []


def _position(labels: pl.Series, classes: list[str]) -> pl.Series:
    positions = {name.strip(): position for position, name in enumerate(classes)}
    if not any(name.strip().lstrip("+-").isdigit() for name in classes):
        positions |= {str(position): position for position in range(len(classes))}
    return labels.replace_strict(positions, default=None, return_dtype=pl.Int8).alias("label")


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
