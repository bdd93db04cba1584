"""The items of a text task."""

import hashlib
from dataclasses import dataclass

import polars as pl

from epoxy_core.corpus.files import SourceFile, resolve_files
from epoxy_core.corpus.gold import GOLD_SCHEMA, LABEL, gold_labels, read_label_file
from epoxy_core.corpus.report import MAX_EXAMPLES, CorpusReport, Findings
from epoxy_core.corpus.tables import FILE, LINE, NAME, read_table
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task

OWN_COLUMNS = ("item_id", "split", "text", "content_hash")
SPLITS = ("unlabeled", "dev", "test")


@dataclass(frozen=True)
class Corpus:
    """What a text task labels.

    Attributes
    ----------
    items
        One row per item, sorted by ``item_id``, which is unique: item_id, split ("unlabeled",
        "dev", "test"), text, content_hash (blake2b-128 hex of the UTF-8 text), all String; then
        the source's other columns.
    gold
        item_id, split ("dev", "test"), label (Int8, class position), sorted by ``item_id``.
    report
        What was read and what was left out.
    """

    items: pl.DataFrame
    gold: pl.DataFrame
    report: CorpusReport


def read_corpus(task: Task) -> Corpus:
    """Read the raw text of a task and its gold labels.

    Ids come from ``source.id``; without it a document's id is its path relative to the task
    folder, and a table row's id is its content hash. Of several rows with one id, the first counts.

    Raises
    ------
    EpoxyError
        If files are absent, unreadable or lack a column; if rows are bad and the rule for them is
        "error"; if a column has a name that the items frame uses; if no item remains.
    """
    source, labels = task.source, task.labels
    findings = Findings()
    files = resolve_files(task.folder, source)
    names = [file.name for file in files]
    needed = {source.text: "source.text"}
    if source.id is not None:
        needed.setdefault(source.id, "source.id")
    if labels is not None and labels.column is not None:
        needed.setdefault(labels.column, "labels.column")
    table = read_table(files, source, needed, findings)
    rows = _named(table.frame, source, labels.column if labels else None)
    rows = _with_text(rows, source, names, findings)
    hashes = pl.Series("content_hash", [content_hash(text) for text in rows["text"]], pl.String)
    rows = rows.with_columns(hashes)
    if "item_id" not in rows.columns:
        rows = rows.with_columns(hashes.alias("item_id"))
    items = _unique(rows, source, names, findings)

    gold = pl.DataFrame(schema=GOLD_SCHEMA)
    if labels is not None:
        if labels.column is not None:
            same = rows.join(items, on=["item_id", "content_hash"], how="semi")
            written, label_names = same.select("item_id", LABEL, FILE, LINE), names
        else:
            written, label_names = read_label_file(task, findings)
        gold = gold_labels(
            labels,
            task.classes,
            written,
            label_names,
            items["item_id"],
            source.on_duplicate,
            findings,
        )
    findings.raise_errors(str(task.folder), _remedies(task))
    _check_any(items, table.rows_read, files, findings)
    items = (
        items.drop(FILE, LINE, LABEL, strict=False)
        .join(gold.select("item_id", "split"), on="item_id", how="left")
        .with_columns(pl.col("split").fill_null("unlabeled"))
        .sort("item_id")
    )
    items = items.select(*OWN_COLUMNS, pl.exclude(*OWN_COLUMNS))
    counts = dict(items["split"].value_counts().iter_rows())
    report = CorpusReport(
        rows_read=table.rows_read,
        items=items.height,
        files=tuple(names),
        problems=findings.problems(),
        splits={split: counts.get(split, 0) for split in SPLITS},
    )
    return Corpus(items, gold, report)


def content_hash(text: str) -> str:
    """blake2b-128 of the UTF-8 text, 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()


def _named(frame: pl.DataFrame, source: TextSource, label: str | None) -> pl.DataFrame:
    """Give the columns that have a role our names; refuse others that would clash."""
    roles = {"text": source.text, "item_id": source.id, LABEL: label}
    if NAME in frame.columns:
        roles["item_id"] = NAME
    taken = set(roles.values())
    others = [name for name in frame.columns if name not in taken]
    clash = next((name for name in others if name in OWN_COLUMNS), None)
    if clash is not None:
        fit = {"item_id": "source.id", "text": "source.text"}.get(clash)
        raise EpoxyError(
            f"the source has a column {clash!r}, a name the items table needs",
            where="source",
            remedy="Rename it in the file" + (f", or name it in {fit}." if fit else "."),
        )
    chosen = [pl.col(name).alias(role) for role, name in roles.items() if name is not None]
    return frame.select(*chosen, *others)


def _with_text(
    rows: pl.DataFrame, source: TextSource, names: list[str], findings: Findings
) -> pl.DataFrame:
    """Leave out rows without text or, if ids come from a column, without id."""
    for column, kind in (("text", "empty_text"), ("item_id", "missing_id")):
        if column in rows.columns:
            blank = pl.col(column).fill_null("").str.strip_chars() == ""
            bad = rows.filter(blank)
            findings.add(kind, source.on_bad_row, bad.height, _examples(bad, names, "text"))
            rows = rows.filter(~blank) if bad.height else rows
    return rows


def _unique(
    rows: pl.DataFrame, source: TextSource, names: list[str], findings: Findings
) -> pl.DataFrame:
    """Keep the first row of every id."""
    again = ~rows["item_id"].is_first_distinct()
    if not again.any():
        return rows
    first = rows.filter(~again)
    repeats = rows.filter(again).join(
        first.select("item_id", pl.col("content_hash").alias("__first")),
        on="item_id",
        maintain_order="left",
    )
    same = pl.col("content_hash") == pl.col("__first")
    kinds = {"duplicate_id": same, "conflicting_id": ~same}
    if source.id is None:
        kinds = {"duplicate_text": same}
    for kind, which in kinds.items():
        found = repeats.filter(which)
        shown = "text" if source.id is None else "item_id"
        findings.add(kind, source.on_duplicate, found.height, _examples(found, names, shown))
    return first


def _examples(rows: pl.DataFrame, names: list[str], shown: str) -> list[tuple[str, int, str]]:
    return [
        (names[row[FILE]], row[LINE], row[shown] or "")
        for row in rows.head(MAX_EXAMPLES).iter_rows(named=True)
    ]


def _remedies(task: Task) -> dict[str, str]:
    rows = "Mend these rows, or set source.on_bad_row: skip."
    twice = "Remove the repeats, or set source.on_duplicate: skip to keep the first."
    return {
        "undecodable": f"Correct source.encoding ({task.source.encoding}), or "
        "set source.on_bad_row: skip.",
        "malformed": rows,
        "empty_text": rows,
        "missing_id": rows,
        "duplicate_id": twice,
        "conflicting_id": twice,
        "duplicate_text": twice,
        "conflicting_label": twice,
        "unknown_class": f"The classes are {', '.join(map(repr, task.classes))}. Correct the "
        "labels or classes, or set labels.on_unknown_class: skip.",
    }


def _check_any(
    items: pl.DataFrame, rows_read: int, files: list[SourceFile], findings: Findings
) -> None:
    if items.is_empty():
        found = "".join(f"\n{problem}" for problem in findings.problems())
        raise EpoxyError(
            f"no item remains of {rows_read} rows{found}",
            where=", ".join(file.name for file in files[:3]) + (", …" if len(files) > 3 else ""),
            remedy="Check source.text, source.columns, source.quote and source.encoding.",
        )
