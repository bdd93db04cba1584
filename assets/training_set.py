"""``training_set``: the labels worth training on, as Parquet and JSONL."""

import os
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import polars as pl

from assets.keys import TRAINING, key, placed, pool
from assets.lineage import training_set_lineage
from assets.metadata import schema, share_per_class, shares, table
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.end_model import cut_statistic
from epoxy_core.errors import EpoxyError
from epoxy_core.storage.database import selected
from epoxy_core.task import Task

EXPORTED = (
    "item_id",
    "text",
    "label",
    "confidence",
    "probabilities",
    "weight",
    "source",
    "split",
    "run_id",
)
OF_A_VIDEO = ("video", "start", "end", "frame")


def training_set_asset(task: Task) -> dg.AssetsDefinition:
    """Export every item with a label to train with, and how much it counts."""
    settings = task.training_set

    @dg.asset(
        key=key(task, "training_set"),
        deps=[key(task, name) for name in ("refined_labels", "neighbors", "items", "dev_labels")],
        description="Items to train on, with label, probabilities, weight and where the label is "
        "from. Test items are never among them.",
        code_version=code_version(
            __file__, "end_model/selection.py", settings=[settings.formats, task.classes]
        ),
        metadata=schema("training_set", training_set_lineage(task)),
        pool=pool(task),
        **placed(task, TRAINING, "parquet", "duckdb"),
    )
    def training_set(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        where = OF_A_VIDEO if task.video else ()
        rows = database.query(
            f"""
            SELECT {selected("i", ["item_id", "split", "text", *where])}, c.class, r.label,
                   r.confidence, r.probabilities, r.weight, r.source,
                   (SELECT max_by(run_id, created_at) FROM label_runs) AS run_id
            FROM items i LEFT JOIN refined_labels r USING (item_id)
            LEFT JOIN classes c ON c.name = r.label
            ORDER BY i.item_id
            """
        )
        labels = rows["class"].fill_null(-1).cast(pl.Int8).to_numpy()
        graph = store.neighbors(task).read(rows["item_id"])
        z = cut_statistic(labels, graph, task.n_classes)
        chosen = rows.with_columns(cut_statistic=pl.Series(z)).filter(pl.Series(labels >= 0))
        files = _export(
            chosen.select(*EXPORTED, *where),
            store.paths.training_set(task.name),
            settings.formats,
        )
        database.replace("training_set", chosen)
        balance = dict(chosen["label"].value_counts().sort("label").iter_rows())
        sources = chosen["source"].value_counts().sort("source")
        return dg.MaterializeResult(
            data_version=data_version(chosen.drop("run_id")),
            metadata={
                "dagster/row_count": chosen.height,
                "sources": table(sources),
                "class_shares": table(shares(balance)),
                **share_per_class(task.classes, balance),
                "files": dg.MetadataValue.md("\n".join(f"- `{file}`" for file in files)),
            },
        )

    return training_set


def _export(rows: pl.DataFrame, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write each file beside its old version and swap it in, so that a reader never sees half."""
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in formats:
            file = folder / f"training_set.{name}"
            partial = file.with_suffix(f".{name}.partial")
            if name == "parquet":
                rows.write_parquet(partial)
            else:
                rows.write_ndjson(partial)
            os.replace(partial, file)
            files.append(file)
    except OSError as error:
        raise EpoxyError(
            f"cannot be written ({error})",
            where=str(folder),
            remedy="Make room there, or point EPOXY_HOME at a folder of yours.",
        ) from error
    return files
