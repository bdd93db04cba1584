"""Publish labels in one transaction with the run that made them and what it changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np
import polars as pl

from epoxy_core.label_changes import no_causes, opponents
from epoxy_core.storage.database import Database, add, drop
from epoxy_core.storage.history import causes_in_tables, rows_of
from epoxy_core.storage.label_runs import LABELS_OF
from epoxy_core.storage.published import (
    STORED,
    LabelDifference,
    PublishedLabels,
    Rows,
    change_rows,
    difference,
    matrix_of,
    nothing_published,
    positions_of,
    published_labels,
    read_published,
    relabelled,
    rows_among,
    share_unlike,
    vote_kinds,
)
from epoxy_core.task import Task

if TYPE_CHECKING:
    import duckdb

OPINION = """
    SELECT item_id, label, probabilities FROM predictions
    WHERE stage = 'extended_votes' ORDER BY item_id
"""

VOTED_ON = """
    SELECT item_id, bool_or(source_item_id = item_id) AS own
    FROM extended_votes JOIN evidence USING (lf)
    WHERE similarity >= threshold OR source_item_id = item_id
    GROUP BY item_id
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
class LastRun:
    """The label run before: its id, when it was, its settings and what it was made from."""

    run_id: str
    at: datetime
    settings: Mapping[str, Any]
    data_versions: Mapping[str, str | None]


class RunName(NamedTuple):
    """A label run's id, and when it began."""

    run_id: str
    at: datetime


@dataclass(frozen=True, eq=False)
class Publication:
    """One label run as published.

    Attributes
    ----------
    run
        The row of ``label_runs``.
    item_ids
        String [n], ascending: the items, and those that had a label and are no more.
    labels
        Of these items.
    changes
        The rows of ``label_changes`` of this run.
    """

    run: Mapping[str, Any]
    item_ids: pl.Series
    labels: PublishedLabels
    changes: pl.DataFrame


def publish(database: Database, task: Task, facts: RunFacts) -> Publication:
    """Publish the label model's opinion as it is in ``predictions``, and record the run.

    In one transaction: labels, run, history and changes with their causes; from then on the votes
    and weights of now are those behind the published labels. Rows are written of items whose label
    or probabilities, as they are published, are others than before.
    """
    with database.write() as connection:
        last = last_run(connection)
        item_ids, after = _opinion(connection, task)
        stored = rows_of(connection, STORED)
        gone = stored["item_id"].filter(~stored["item_id"].is_in(item_ids.implode()))
        if len(gone):
            item_ids, after = _among_more(item_ids, after, gone)
        classes = last.settings["classes"] if last else task.classes
        before = read_published(stored, item_ids, classes)
        at = relabelled(before, after)
        if last is None or before.classes != after.classes or not len(at):
            # With other classes the votes of before say nothing about the classes of now.
            causes = no_causes(len(at))
        else:
            ids = item_ids.gather(at)
            sides = opposed(before, after, at)
            causes = causes_in_tables(connection, task, last.settings, ids, *sides)
        changes = change_rows(item_ids, before, after, at).with_columns(causes)
        thresholds = rows_of(connection, "SELECT lf, threshold FROM evidence ORDER BY lf")
        ((n_items,),) = connection.execute("SELECT count(*) FROM items").fetchall()
        name = name_run(last)
        differing = difference(item_ids, before, after)
        put_labels(connection, name.run_id, differing)
        add(connection, "label_history", differing.rows, run_id=name.run_id)
        run = run_row(task, facts, name, dict(thresholds.iter_rows()), n_items, after, changes)
        run |= compared(connection, task, last, item_ids, before, after)
        put_run(connection, run)
        add(connection, "label_changes", changes, run_id=name.run_id)
    return Publication(run, item_ids, after, changes)


def last_run(connection: "duckdb.DuckDBPyConnection") -> LastRun | None:
    """The last label run; None before the first."""
    rows = connection.execute(
        "SELECT run_id, epoch_us(created_at), settings, data_versions FROM label_runs"
        " ORDER BY created_at DESC LIMIT 1"
    ).fetchall()
    if not rows:
        return None
    ((run_id, at, *texts),) = rows
    return LastRun(run_id, datetime.fromtimestamp(at / 1e6, UTC), *map(json.loads, texts))


def opposed(before: PublishedLabels, after: PublishedLabels, at: Rows) -> tuple[Any, Any]:
    """The classes to compare before and after, int64 [r] each; see `label_changes.opponents`."""
    steps = np.where(after.labelled[at, None], after.steps[at], before.steps[at])
    return opponents(before.label[at], after.label[at], steps)


def name_run(last: LastRun | None) -> RunName:
    """Name a label run that begins now."""
    now = datetime.now(UTC)
    if last:  # a clock may have been set back
        now = max(now, last.at + timedelta(microseconds=1))
    return RunName(f"{now:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}", now)


def run_row(
    task: Task,
    facts: RunFacts,
    name: RunName,
    thresholds: Mapping[str, float],
    n_items: int,
    labels: PublishedLabels,
    changes: pl.DataFrame,
) -> dict[str, Any]:
    """A row of ``label_runs``, but for what `compared` gives."""
    return {
        "run_id": name.run_id,
        "created_at": name.at,
        "dagster_run_id": facts.dagster_run_id,
        "lf_fingerprints": json.dumps(dict(facts.lf_fingerprints)),
        "thresholds": json.dumps(dict(thresholds)),
        "embedding": facts.embedding,
        "settings": task.model_dump_json(),
        "data_versions": json.dumps(dict(facts.data_versions)),
        "n_items": n_items,
        "n_labeled": int(np.count_nonzero(labels.labelled)),
        "n_changed": changes.height,
        "n_flipped": changes.drop_nulls(["label_before", "label_after"]).height,
    }


def compared(
    connection: "duckdb.DuckDBPyConnection",
    task: Task,
    last: LastRun | None,
    item_ids: pl.Series,
    before: PublishedLabels,
    after: PublishedLabels,
) -> dict[str, Any]:
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
    if last and run_id == last.run_id:
        share = share_unlike(before, after)
    else:
        then = rows_of(connection, LABELS_OF, run_id).select("item_id", then="label")
        every = np.arange(len(item_ids))
        both = then.join(after.rows(item_ids, every).drop_nulls("label"), on="item_id")
        share = int((both["then"] != both["label"]).sum()) / max(1, both.height)
    settings = task.label_changes
    passed = share <= settings.most_flipped or not settings.block
    return {"compared_with": run_id, "share_flipped": share, "accepted": passed}


def put_labels(
    connection: "duckdb.DuckDBPyConnection", run_id: str, found: LabelDifference
) -> None:
    """Write the labels of a run, but for its history, within the caller's transaction.

    Raises
    ------
    OutOfStepError
        If the labels before are not those in the table.
    """
    drop(connection, "labels", found.gone)
    add(connection, "labels", found.rows.drop_nulls("label"), run_id=run_id)


def put_run(connection: "duckdb.DuckDBPyConnection", run: Mapping[str, Any]) -> None:
    """Write a label run, its labels being there, within the caller's transaction."""
    places = ", ".join("?" * len(run))
    connection.execute(
        f"INSERT INTO label_runs ({', '.join(run)}) VALUES ({places})", list(run.values())
    )
    connection.execute("DELETE FROM label_run_evidence")
    connection.execute("INSERT INTO label_run_evidence SELECT ?, * FROM evidence", [run["run_id"]])
    connection.execute("DELETE FROM superseded")
    connection.execute("DELETE FROM superseded_votes")


def complete(database: Database, run_id: str, data_versions: Mapping[str, str | None]) -> None:
    """Fill in what a run was made from, where that was not known when it was committed."""
    with database.write() as connection:
        connection.execute(
            "UPDATE label_runs SET data_versions = ? WHERE run_id = ?",
            [json.dumps(dict(data_versions)), run_id],
        )


def accept(database: Database, run_id: str) -> None:
    """Let what depends on the labels follow a run that changed more of them than it may."""
    with database.write() as connection:
        connection.execute("UPDATE label_runs SET accepted = true WHERE run_id = ?", [run_id])


def _opinion(
    connection: "duckdb.DuckDBPyConnection", task: Task
) -> tuple[pl.Series, PublishedLabels]:
    """What is to be published, of all items by ascending id."""
    rows = rows_of(connection, OPINION)
    voted_on = rows.select("item_id").join(
        rows_of(connection, VOTED_ON), on="item_id", how="left", maintain_order="left"
    )["own"]
    own = voted_on.fill_null(False).to_numpy()
    return rows["item_id"], published_labels(
        task.classes,
        positions_of(rows["label"], task.classes),
        matrix_of(rows["probabilities"], task.n_classes),
        vote_kinds(own, voted_on.is_not_null().to_numpy()),
    )


def _among_more(
    item_ids: pl.Series, labels: PublishedLabels, others: pl.Series
) -> tuple[pl.Series, PublishedLabels]:
    """The same labels, among other items that have none."""
    every = pl.concat([item_ids, others]).sort()
    at = rows_among(item_ids, every)
    found = nothing_published(labels.classes, len(every))
    found.label[at], found.steps[at], found.votes[at] = labels.label, labels.steps, labels.votes
    return every, found
