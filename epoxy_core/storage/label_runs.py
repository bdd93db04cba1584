"""Label runs, read back: what each depended on, its labels, and what changed between two."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.database import Database

LABELS_OF = """
    SELECT item_id, label, confidence, probabilities FROM (
        SELECT h.*, row_number() OVER (PARTITION BY h.item_id ORDER BY r.created_at DESC) AS age
        FROM label_history h JOIN label_runs r USING (run_id)
        WHERE r.created_at <= (SELECT created_at FROM label_runs WHERE run_id = ?)
    ) WHERE age = 1 AND label IS NOT NULL
"""
"""The labels as a run published them, as a query with the run's id as its parameter."""

SHOWN_RUNS = 5
EXCERPT = 80


@dataclass(frozen=True)
class LabelRun:
    """One publication of labels, and what it depended on (the table ``label_runs``)."""

    run_id: str
    created_at: datetime
    lf_fingerprints: Mapping[str, str]
    thresholds: Mapping[str, float]
    embedding: str
    settings: Mapping[str, Any]
    data_versions: Mapping[str, str]
    n_items: int
    n_labeled: int
    n_changed: int
    accepted: bool

    @property
    def classes(self) -> list[str]:
        """The class names, in the order of ``probabilities``."""
        return list(self.settings["classes"])


def label_runs(database: Database) -> list[LabelRun]:
    """All label runs, oldest first."""
    rows = database.query(
        "SELECT run_id, epoch_us(created_at) AS created_at, lf_fingerprints, thresholds, embedding,"
        " settings, data_versions, n_items, n_labeled, n_changed, accepted"
        " FROM label_runs ORDER BY label_runs.created_at"
    )
    parsed = ("lf_fingerprints", "thresholds", "settings", "data_versions")
    return [
        LabelRun(
            **{
                **row,
                **{name: json.loads(row[name]) for name in parsed},
                "created_at": datetime.fromtimestamp(row["created_at"] / 1e6, UTC),
            }
        )
        for row in rows.iter_rows(named=True)
    ]


def find_run(runs: Sequence[LabelRun], given: str) -> LabelRun:
    """The run of an id, or of the beginning of one.

    Raises
    ------
    EpoxyError
        If there is no such run, or more than one.
    """
    found = [run for run in runs if run.run_id.startswith(given)]
    if len(found) != 1:
        raise EpoxyError(
            f"{len(found) or 'no'} label runs begin with {given!r}",
            where="label runs",
            remedy=f"Name one of the {len(runs)}. {last_runs(runs)}",
        )
    return found[0]


def last_runs(runs: Sequence[LabelRun]) -> str:
    """The last few runs, newest first, for a message."""
    shown = [f"{run.run_id} ({run.n_changed:,} changes)" for run in runs[: -SHOWN_RUNS - 1 : -1]]
    return f"The last ones: {', '.join(shown)}." if shown else "`epoxy run TASK` makes the first."


def labels_of(database: Database, run: LabelRun) -> pl.DataFrame:
    """``item_id``, ``label``, ``confidence``, ``probabilities`` as a run published them."""
    return database.query(f"{LABELS_OF} ORDER BY item_id", [run.run_id])


def changes_between(database: Database, before: LabelRun, after: LabelRun) -> pl.DataFrame:
    """Labels that are another, new or gone in the later of two runs; columns of `label_changes`.

    The causes are those of the item's last change until the later run: with runs in between, what
    led there from the label that the item had by then.
    """
    return database.query(
        f"""
        SELECT item_id, o.label AS label_before, n.label AS label_after,
               o.confidence AS confidence_before, n.confidence AS confidence_after, w.causes
        FROM ({LABELS_OF}) o FULL JOIN ({LABELS_OF}) n USING (item_id) LEFT JOIN (
            SELECT c.item_id, c.causes FROM label_changes c JOIN label_runs r USING (run_id)
            WHERE r.created_at <= (SELECT created_at FROM label_runs WHERE run_id = ?)
            QUALIFY row_number() OVER (PARTITION BY c.item_id ORDER BY r.created_at DESC) = 1
        ) w USING (item_id)
        WHERE o.label IS DISTINCT FROM n.label ORDER BY item_id
        """,
        [before.run_id, after.run_id, after.run_id],
    )


def with_texts(database: Database, changes: pl.DataFrame) -> pl.DataFrame:
    """Changes with the beginning of each item's text, null where the item is gone.

    An item without text, such as a frame without captions, shows its id.
    """
    texts = database.query(
        "SELECT item_id, coalesce(nullif(regexp_replace(left(text, 200), '\\s+', ' ', 'g'), ''),"
        " item_id)[:?] AS text FROM items"
        " WHERE list_contains(?, item_id)",
        [EXCERPT, changes["item_id"].to_list()],
    )
    return changes.join(texts, on="item_id", how="left", maintain_order="left")


def what_changed(before: LabelRun, after: LabelRun) -> pl.DataFrame:
    """Differences in what two runs depend on: ``what``, ``before``, ``after``, all text."""
    rows: list[tuple[str, str | None, str | None]] = []
    for lf in sorted({*before.lf_fingerprints, *after.lf_fingerprints}):
        if before.lf_fingerprints.get(lf) != after.lf_fingerprints.get(lf):
            old, new = (run.lf_fingerprints.get(lf) for run in (before, after))
            rows.append((f"labeling function {lf}", old, new))
        old_reach, new_reach = before.thresholds.get(lf), after.thresholds.get(lf)
        if old_reach is not None and new_reach is not None and abs(old_reach - new_reach) > 5e-4:
            rows.append((f"threshold of {lf}", f"{old_reach:.3f}", f"{new_reach:.3f}"))
    settings = _flat(before.settings), _flat(after.settings)
    for name in sorted({*settings[0], *settings[1]}):
        values = [each.get(name) for each in settings]
        if values[0] != values[1]:
            rows.append((f"setting {name}", values[0], values[1]))
    if before.embedding != after.embedding:
        rows.append(("embedding model", before.embedding, after.embedding))
    for name in ("items", "embeddings"):
        versions = [run.data_versions.get(name) for run in (before, after)]
        if versions[0] != versions[1]:
            rows.append((f"data of {name}", versions[0], versions[1]))
    return pl.DataFrame(
        rows, schema={"what": pl.String, "before": pl.String, "after": pl.String}, orient="row"
    )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = json.dumps(value)
    return found
