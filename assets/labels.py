"""``labels`` and ``label_changes``: the published labels, the run that made them, what flipped."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.encoder import encoder_of
from assets.keys import LABELS, key, lf_key, placed, pool, step
from assets.lineage import label_changes_lineage, labels_lineage
from assets.metadata import heuristics, picture, schema, share_per_class, shares, table
from assets.pictures import COLUMNS, Tile, caption, contact_sheet, surest_and_least_sure
from assets.plots import confidence_histogram
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.label_changes import cause_counts, describe, examples, flip_counts
from epoxy_core.labeling import LabelingFunction
from epoxy_core.storage.label_runs import with_texts
from epoxy_core.storage.publish import Publication, RunFacts, publish
from epoxy_core.storage.published import BORROWED
from epoxy_core.task import Task

DATA_VERSION = "dagster/data_version"
SHOWN_EXAMPLES = 20
MOST_PICTURES = 96


def labels_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Publish the label model's opinion in one transaction, with its run and its changes."""
    version = code_version(
        __file__,
        "label_changes.py",
        "labeling/symbols.py",
        "storage/history.py",
        "storage/publish.py",
        "storage/published.py",
    )

    @dg.multi_asset(
        name=step(task, "labels"),
        specs=[
            dg.AssetSpec(
                key(task, "labels"),
                deps=[key(task, "label_model")],
                description="Probabilistic labels of all items that own or borrow a vote.",
                code_version=version,
                metadata=schema("labels", labels_lineage(task, [lf.name for lf in lfs])),
                **placed(task, LABELS, "duckdb"),
            ),
            dg.AssetSpec(
                key(task, "label_changes"),
                deps=[key(task, "labels")],
                description="Labels new, gone or flipped since the previous label run.",
                code_version=version,
                metadata=schema("label_changes", label_changes_lineage(task)),
                **placed(task, LABELS, "duckdb"),
            ),
        ],
        pool=pool(task),
    )
    def labels(context: dg.AssetExecutionContext, store: Store) -> Iterator[dg.MaterializeResult]:
        keys = [
            key(task, "items"),
            key(task, "embeddings"),
            *(lf_key(task, lf.name) for lf in lfs),
        ]
        versions: dict[dg.AssetKey, str | None] = {}
        for record in context.instance.get_asset_records(keys):
            last = record.asset_entry.last_materialization
            tags = last.asset_materialization.tags if last and last.asset_materialization else None
            versions[record.asset_entry.asset_key] = (tags or {}).get(DATA_VERSION)
        published = publish_labels(task, lfs, store, versions, context.run_id)
        yield from label_results(task, lfs, store, published)

    return labels


def publish_labels(
    task: Task,
    lfs: Sequence[LabelingFunction],
    store: Store,
    versions: Mapping[dg.AssetKey, str | None],
    dagster_run_id: str,
) -> Publication:
    """Publish what is in ``predictions`` as the labels of a new label run.

    Parameters
    ----------
    task, lfs
        The task and its labeling functions, as the predictions were made with them.
    store
        Where its tables are.
    versions
        Data versions of the assets; those of items, embeddings and LFs are recorded.
    dagster_run_id
        Recorded as well.
    """
    return publish(
        store.database(task),
        task,
        RunFacts(
            dagster_run_id=dagster_run_id,
            lf_fingerprints={lf.name: lf.code_version for lf in lfs},
            embedding=encoder_of(task).fingerprint,
            data_versions=source_versions(task, lfs, versions),
        ),
    )


def source_versions(
    task: Task, lfs: Sequence[LabelingFunction], versions: Mapping[dg.AssetKey, str | None]
) -> dict[str, str | None]:
    """Data versions of items, embeddings and votes, by asset without the task's name."""
    sources = [("items",), ("embeddings",), *(("lf", lf.name) for lf in lfs)]
    return {"/".join(path): versions.get(key(task, *path)) for path in sources}


def label_results(
    task: Task, lfs: Sequence[LabelingFunction], store: Store, published: Publication
) -> Iterator[dg.MaterializeResult]:
    """What is reported of a label run: of ``labels``, then of ``label_changes``."""
    labels, changes, run = published.labels, published.changes, published.run
    known = np.flatnonzero(labels.labelled)
    rows = labels.rows(published.item_ids, known)
    counts = np.bincount(labels.label[known], minlength=task.n_classes).tolist()
    balance = {name: n for name, n in sorted(zip(task.classes, counts, strict=True)) if n}
    borrowed = int(np.count_nonzero(labels.votes[known] == BORROWED))
    yield dg.MaterializeResult(
        asset_key=key(task, "labels"),
        data_version=data_version(
            rows.select("item_id"),
            labels.label[known],
            labels.steps[known],
            labels.votes[known],
            " ".join(task.classes),
        ),
        metadata={
            "dagster/row_count": rows.height,
            "label_run": run["run_id"],
            "mean_confidence": float(rows["confidence"].mean() or 0.0),  # type: ignore[arg-type]
            "coverage": rows.height / max(1, run["n_items"]),
            "share_borrowed": borrowed / max(1, rows.height),
            **share_per_class(task.classes, balance),
            "class_shares": table(shares(balance)),
            "heuristics": heuristics(task, lfs),
            "confidence": picture(confidence_histogram(rows)),
            **_pictures(task, store, rows),
        },
    )
    shown = with_texts(store.database(task), examples(changes, SHOWN_EXAMPLES))
    causes = pl.Series("causes", map(describe, shown["causes"].to_list()), dtype=pl.String)
    yield dg.MaterializeResult(
        asset_key=key(task, "label_changes"),
        data_version=data_version(changes),
        metadata={
            "dagster/row_count": changes.height,
            "flipped": run["n_flipped"],
            "share_flipped": run["share_flipped"],
            "share_changed": changes.height / max(1, rows.height),
            "changes": table(flip_counts(changes)),
            "causes": table(cause_counts(changes)),
            "examples": table(shown.with_columns(causes)),
        },
    )


def _pictures(
    task: Task, store: Store, labels: pl.DataFrame
) -> dict[str, dg.MarkdownMetadataValue]:
    """Of videos: what the surest and the least sure labels of every class are about."""
    if task.video is None or labels.is_empty():
        return {}
    about = store.database(task).query("SELECT item_id, video, content_hash FROM items")
    shown = surest_and_least_sure(
        labels.select("item_id", "label", "confidence").join(about, on="item_id"),
        each=max(1, min(COLUMNS // 2, MOST_PICTURES // (2 * task.n_classes))),
    )
    thumbnails = store.frames(task).thumbnails(shown["content_hash"].to_list())
    rows = []
    for (label,), part in shown.group_by("label", maintain_order=True):
        tiles = [
            Tile(caption(item_id, f"P = {confidence:.3f}"), thumbnails.get(content))
            for item_id, confidence, content in part.select(
                "item_id", "confidence", "content_hash"
            ).iter_rows()
        ]
        rows.append((f"{label}: the surest, then the least sure", tiles))
    return {"surest_and_least_sure": contact_sheet(rows)}
