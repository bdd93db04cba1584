"""The items of a text task."""

import hashlib

import polars as pl

from epoxy_core.corpus.files import SourceFile, resolve_files
from epoxy_core.corpus.gold import GOLD_SCHEMA, LABEL, Written, gold_labels, label_remedies
from epoxy_core.corpus.items import OWN_COLUMNS, Corpus, corpus_of
from epoxy_core.corpus.label_file import read_label_file
from epoxy_core.corpus.report import MAX_EXAMPLES, Findings
from epoxy_core.corpus.tables import FILE, LINE, NAME, read_table
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task


def read_corpus(task: Task) -> Corpus:
    """Read the raw text of a task and its gold labels (of videos: `video_corpus`).

    Ids come from ``source.id``; without it a document's id is its path relative to the task
    folder, and a table row's id is its content hash. Of several rows with one id, the first counts.

    Raises
    ------
    EpoxyError
        If files are absent, unreadable or lack a column; if rows are bad and the rule for them is
        "error"; if a column has a name that the items frame uses; if no item remains.
    """
    source, labels = task.source, task.labels
    if not isinstance(source, TextSource):
        raise TypeError("the items of videos are read from what scanning them gave")
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
            written = Written(same.select("item_id", LABEL, FILE, LINE), names)
        else:
            written = read_label_file(task, findings)
        gold = gold_labels(
            labels,
            task.classes,
            written,
            items.select("item_id", together="item_id"),
            source.on_duplicate,
            findings,
        )
    findings.raise_errors(str(task.folder), _remedies(task, source))
    _check_any(items, table.rows_read, files, findings)
    items = items.drop(FILE, LINE, LABEL, strict=False)
    return corpus_of(items, gold, findings, rows_read=table.rows_read, files=names)


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


def _remedies(task: Task, source: TextSource) -> dict[str, str]:
    rows = "Mend these rows, or set source.on_bad_row: skip."
    twice = "Remove the repeats, or set source.on_duplicate: skip to keep the first."
    return {
        "undecodable": f"Correct source.encoding ({source.encoding}), or "
        "set source.on_bad_row: skip.",
        "malformed": rows,
        "empty_text": rows,
        "missing_id": rows,
        "duplicate_id": twice,
        "conflicting_id": twice,
        "duplicate_text": twice,
        "conflicting_label": twice,
        **label_remedies(task.classes),
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
