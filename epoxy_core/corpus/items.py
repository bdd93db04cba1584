"""What a corpus is, of text or of videos: items, gold labels, and what was left out."""

from dataclasses import dataclass

import polars as pl

from epoxy_core.corpus.gold import SPLITS
from epoxy_core.corpus.report import CorpusReport, Findings

OWN_COLUMNS = ("item_id", "split", "text", "content_hash")


@dataclass(frozen=True)
class Corpus:
    """What a task labels.

    Attributes
    ----------
    items
        One row per item, sorted by ``item_id``, which is unique: item_id, split ("unlabeled",
        "dev", "test"), text, content_hash (of text: blake2b-128 hex of the UTF-8 text), all
        String; then the source's other columns.
    gold
        item_id, split ("dev", "test"), label (Int8, class position), sorted by ``item_id``.
    report
        What was read and what was left out.
    """

    items: pl.DataFrame
    gold: pl.DataFrame
    report: CorpusReport


def corpus_of(
    items: pl.DataFrame,
    gold: pl.DataFrame,
    findings: Findings,
    *,
    rows_read: int,
    files: list[str],
) -> Corpus:
    """Put items and gold labels together.

    Parameters
    ----------
    items
        Columns item_id, text, content_hash, and others.
    gold
        See `gold_labels`.
    findings
        What was wrong with the raw data.
    rows_read, files
        For the report.
    """
    items = (
        items.join(gold.select("item_id", "split"), on="item_id", how="left")
        .with_columns(pl.col("split").fill_null("unlabeled"))
        .sort("item_id")
        .select(*OWN_COLUMNS, pl.exclude(*OWN_COLUMNS))
    )
    counts = dict(items["split"].value_counts().iter_rows())
    report = CorpusReport(
        rows_read=rows_read,
        items=items.height,
        files=tuple(files),
        problems=findings.problems(),
        splits={split: counts.get(split, 0) for split in SPLITS},
    )
    return Corpus(items, gold, report)
