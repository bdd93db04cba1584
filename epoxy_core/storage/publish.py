"""Publish labels in one transaction with the run that made them and what it changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from epoxy_core.storage.database import Database, put
from epoxy_core.storage.history import changed_labels, rows_of
from epoxy_core.storage.label_runs import LABELS_OF
from epoxy_core.task import Task

if TYPE_CHECKING:
    import duckdb

NEW_LABELS = """
    CREATE TEMP TABLE published AS
    SELECT p.item_id, p.label, p.confidence, p.probabilities,
           coalesce(v.votes, 'sequence') AS votes, ? AS run_id
    FROM predictions p LEFT JOIN (
        SELECT item_id, if(bool_or(source_item_id = item_id), 'own', 'borrowed') AS votes
        FROM extended_votes JOIN evidence USING (lf) WHERE similarity >= threshold
        GROUP BY item_id
    ) v USING (item_id)
    WHERE p.stage = 'extended_votes' AND p.label IS NOT NULL
"""

HISTORY = """
    INSERT INTO label_history
    SELECT coalesce(n.item_id, o.item_id), ?, n.label, n.confidence, n.probabilities
    FROM published n FULL JOIN labels o ON n.item_id = o.item_id
    WHERE n.label IS DISTINCT FROM o.label OR n.probabilities IS DISTINCT FROM o.probabilities
    ORDER BY ALL
"""


@dataclass(frozen=True)
class RunFacts:
    """What the caller knows of a label run.

    Attributes
    ----------
    dagster_run_id
        The Dagster run.
    lf_fingerprints
        Code version of every labeling function.
    embedding
        Fingerprint of the encoder.
    data_versions
        Data version of the items, the embeddings and every LF's votes.
    """

    dagster_run_id: str
    lf_fingerprints: Mapping[str, str]
    embedding: str
    data_versions: Mapping[str, str | None]


@dataclass(frozen=True)
class Publication:
    """One label run as published.

    Attributes
    ----------
    run
        The row of ``label_runs``.
    labels, changes
        The tables ``labels`` and ``label_changes`` of this run.
    """

    run: Mapping[str, Any]
    labels: pl.DataFrame
    changes: pl.DataFrame


def publish(database: Database, task: Task, facts: RunFacts) -> Publication:
    """Publish the label model's opinion as it is in ``predictions``, and record the run.

    In one transaction: labels, run, history and changes with their causes; from then on the votes
    and weights of now are those behind the published labels.
    """
    with database.write() as connection:
        last = rows_of(
            connection,
            "SELECT run_id, epoch_us(created_at) AS at, settings FROM label_runs"
            " ORDER BY created_at DESC LIMIT 1",
        )
        now = datetime.now(UTC)
        if last.height:  # a clock may have been set back
            after = datetime.fromtimestamp(last["at"][0] / 1e6, UTC) + timedelta(microseconds=1)
            now = max(now, after)
        run_id = f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
        connection.execute(NEW_LABELS, [run_id])
        labels = rows_of(connection, "SELECT * FROM published ORDER BY item_id")
        settings = json.loads(last["settings"][0]) if last.height else None
        changes = changed_labels(connection, task, settings).with_columns(run_id=pl.lit(run_id))
        flipped = changes.drop_nulls(["label_before", "label_after"]).height
        thresholds = rows_of(connection, "SELECT lf, threshold FROM evidence ORDER BY lf")
        run = {
            "run_id": run_id,
            "created_at": now,
            "dagster_run_id": facts.dagster_run_id,
            "lf_fingerprints": json.dumps(dict(facts.lf_fingerprints)),
            "thresholds": json.dumps(dict(thresholds.iter_rows())),
            "embedding": facts.embedding,
            "settings": task.model_dump_json(),
            "data_versions": json.dumps(dict(facts.data_versions)),
            "n_items": connection.execute("SELECT count(*) FROM items").fetchall()[0][0],
            "n_labeled": labels.height,
            "n_changed": changes.height,
            "n_flipped": flipped,
            **_compared(connection, task),
        }
        connection.execute(HISTORY, [run_id])
        put(connection, "labels", labels)
        put(connection, "label_runs", pl.DataFrame([run]), "run_id = ?", run_id)
        put(connection, "label_changes", changes, "run_id = ?", run_id)
        connection.execute("DELETE FROM label_run_evidence")
        connection.execute("INSERT INTO label_run_evidence SELECT ?, * FROM evidence", [run_id])
        connection.execute("DELETE FROM superseded")
        connection.execute("DELETE FROM superseded_votes")
    return Publication(run, labels, changes)


def accept(database: Database, run_id: str) -> None:
    """Let what depends on the labels follow a run that changed more of them than it may."""
    with database.write() as connection:
        connection.execute("UPDATE label_runs SET accepted = true WHERE run_id = ?", [run_id])


def _compared(connection: "duckdb.DuckDBPyConnection", task: Task) -> dict[str, Any]:
    """How many labels are another than in the last accepted run.

    Comparing with a run that was not accepted would let its labels pass when they are published
    again, unchanged.
    """
    accepted = connection.execute(
        "SELECT run_id FROM label_runs WHERE accepted ORDER BY created_at DESC LIMIT 1"
    ).fetchall()
    if not accepted:
        return {"compared_with": None, "share_flipped": 0.0, "accepted": True}
    ((run_id,),) = accepted
    ((share,),) = connection.execute(
        "SELECT coalesce(avg((n.label <> o.label)::INTEGER), 0)"
        f" FROM published n JOIN ({LABELS_OF}) o ON n.item_id = o.item_id",
        [run_id],
    ).fetchall()
    settings = task.label_changes
    passed = share <= settings.most_flipped or not settings.block
    return {"compared_with": run_id, "share_flipped": float(share), "accepted": passed}
