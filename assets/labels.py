"""``labels`` and ``label_changes``: the published labels, the run that made them, what flipped."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import dagster as dg
import polars as pl

from assets.keys import LABELS, key, lf_key, placed, pool, step
from assets.metadata import picture, schema, shares, table
from assets.plots import confidence_histogram
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.labeling import LabelingFunction
from epoxy_core.storage.database import Database, put
from epoxy_core.task import Task

DATA_VERSION = "dagster/data_version"


def labels_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Publish the label model's opinion in one transaction, with its run and its changes."""
    version = code_version(__file__)

    @dg.multi_asset(
        name=step(task, "labels"),
        specs=[
            dg.AssetSpec(
                key(task, "labels"),
                deps=[key(task, "label_model")],
                description="Probabilistic labels of all items that own or borrow a vote.",
                code_version=version,
                metadata=schema("labels"),
                **placed(task, LABELS, "duckdb"),
            ),
            dg.AssetSpec(
                key(task, "label_changes"),
                deps=[key(task, "labels")],
                description="Labels new, gone or flipped since the previous label run.",
                code_version=version,
                metadata=schema("label_changes"),
                **placed(task, LABELS, "duckdb"),
            ),
        ],
        pool=pool(task),
    )
    def labels(context: dg.AssetExecutionContext, store: Store) -> Iterator[dg.MaterializeResult]:
        database = store.database(task)
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
        new = _new_labels(database, run_id)
        changes = _changes(database, new, run_id)
        run = pl.DataFrame(
            {
                "run_id": [run_id],
                "created_at": [datetime.now(UTC)],
                "dagster_run_id": [context.run_id],
                "lf_fingerprints": [json.dumps({lf.name: lf.code_version for lf in lfs})],
                "thresholds": [_thresholds(database)],
                "settings": [task.model_dump_json()],
                "data_versions": [json.dumps(_data_versions(context, task, lfs))],
                "n_items": [len(database.item_ids())],
                "n_labeled": [new.height],
                "n_changed": [changes.height],
            }
        )
        with database.write() as connection:
            put(connection, "labels", new)
            put(connection, "label_runs", run, "run_id = ?", run_id)
            put(connection, "label_changes", changes, "run_id = ?", run_id)
        content = new.drop("run_id")
        balance = dict(new["label"].value_counts().sort("label").iter_rows())
        yield dg.MaterializeResult(
            asset_key=key(task, "labels"),
            data_version=data_version(content),
            metadata={
                "dagster/row_count": new.height,
                "label_run": run_id,
                "mean_confidence": float(new["confidence"].mean() or 0.0),  # type: ignore[arg-type]
                "class_shares": table(shares(balance)),
                "confidence": picture(confidence_histogram(new)),
            },
        )
        yield dg.MaterializeResult(
            asset_key=key(task, "label_changes"),
            data_version=data_version(changes.drop("run_id")),
            metadata={
                "dagster/row_count": changes.height,
                "share_changed": changes.height / max(1, new.height),
                "changes": table(
                    changes.group_by("label_before", "label_after")
                    .len("items")
                    .sort("items", descending=True)
                ),
            },
        )

    return labels


def _new_labels(database: Database, run_id: str) -> pl.DataFrame:
    return database.query(
        """
        SELECT p.item_id, p.label, p.confidence, p.probabilities,
               if(own.item_id IS NULL, 'borrowed', 'own') AS votes, ? AS run_id
        FROM predictions p
        LEFT JOIN (SELECT DISTINCT item_id FROM extended_votes WHERE source_item_id = item_id) own
          USING (item_id)
        WHERE p.stage = 'extended_votes' AND p.label IS NOT NULL
        ORDER BY p.item_id
        """,
        [run_id],
    )


def _changes(database: Database, new: pl.DataFrame, run_id: str) -> pl.DataFrame:
    old = database.query(
        "SELECT item_id, label AS label_before, confidence AS confidence_before FROM labels"
    )
    now = new.select("item_id", label_after="label", confidence_after="confidence")
    return (
        old.join(now, on="item_id", how="full", coalesce=True)
        .filter(pl.col("label_before").ne_missing(pl.col("label_after")))
        .with_columns(run_id=pl.lit(run_id))
        .sort("item_id")
    )


def _thresholds(database: Database) -> str:
    rows = database.query("SELECT lf, threshold FROM label_model ORDER BY lf")
    return json.dumps(dict(rows.iter_rows()))


def _data_versions(
    context: dg.AssetExecutionContext, task: Task, lfs: Sequence[LabelingFunction]
) -> dict[str, str | None]:
    keys = [
        key(task, "items"),
        key(task, "embeddings"),
        *(lf_key(task, lf.name) for lf in lfs),
    ]
    versions: dict[str, str | None] = {}
    for record in context.instance.get_asset_records(keys):
        last = record.asset_entry.last_materialization
        tags = last.asset_materialization.tags if last and last.asset_materialization else None
        name = "/".join(record.asset_entry.asset_key.path[1:])
        versions[name] = (tags or {}).get(DATA_VERSION)
    return versions
