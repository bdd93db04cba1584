"""``items``, ``dev_labels``, ``test_labels``: the raw files as tables joined by item id."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.keys import CORPUS, key, placed, pool, step
from assets.metadata import schema, table
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.corpus import (
    Corpus,
    fetch_source,
    read_corpus,
    task_videos,
    video_corpus,
    videos_table,
)
from epoxy_core.storage.database import put
from epoxy_core.storage.item_versions import note_changes
from epoxy_core.storage.schema import BY_NAME
from epoxy_core.task import Task


def corpus_assets(task: Task) -> dg.AssetsDefinition:
    """Items and gold labels, versioned apart: a new hand label re-runs no heuristic.

    The version of ``dev_labels`` covers who is in which split, which heuristics do not see.
    """
    version = code_version(
        __file__,
        "corpus",
        settings=[task.source, task.labels, task.classes],
    )

    sources = ["source", "frames"] if task.video else ["source"]

    def spec(name: str, description: str) -> dg.AssetSpec:
        return dg.AssetSpec(
            key(task, name),
            deps=[key(task, name) for name in sources],
            description=description,
            code_version=version,
            metadata=schema(name),
            **placed(task, CORPUS, "polars", "duckdb"),
        )

    @dg.multi_asset(
        name=step(task, "corpus"),
        specs=[
            spec(
                "items", "What is to be labelled: id, text, split and the source's other columns."
            ),
            spec("dev_labels", "Hand labels for thresholds, checks and the LF table."),
            spec("test_labels", "Hand labels held out: only `evaluation` reads them."),
        ],
        can_subset=True,
        pool=pool(task),
    )
    def corpus(context: dg.AssetExecutionContext, store: Store) -> Iterator[dg.MaterializeResult]:
        raw, videos = _read(task, store)
        tables = {
            "items": raw.items,
            "dev_labels": _gold(raw, "dev"),
            "test_labels": _gold(raw, "test"),
        }
        chosen = [name for name in tables if key(task, name) in context.selected_asset_keys]
        classes = pl.DataFrame({"class": range(task.n_classes), "name": task.classes})
        with store.database(task).write() as connection:
            put(connection, "classes", classes)
            put(connection, "videos", videos)
            if "items" in chosen:
                note_changes(connection, raw.items)
            for name in chosen:
                put(connection, name, tables[name])
        for name in chosen:
            yield dg.MaterializeResult(
                asset_key=key(task, name),
                data_version=_version(name, tables[name], raw),
                metadata={
                    "dagster/row_count": tables[name].height,
                    **(_report(raw) if name == "items" else {}),
                },
            )

    return corpus


def _read(task: Task, store: Store) -> tuple[Corpus, pl.DataFrame]:
    """The corpus, and its videos if it is of videos."""
    if task.video is None:
        fetch_source(task)
        return read_corpus(task), pl.DataFrame(schema=[c.name for c in BY_NAME["videos"].columns])
    videos = task_videos(task)
    scanned = store.frames(task).load([video.identity for video in videos])
    return video_corpus(task, videos, scanned), videos_table(videos, scanned)


def _version(name: str, rows: pl.DataFrame, raw: Corpus) -> dg.DataVersion:
    if name == "items":
        return data_version(rows.drop("split"))
    if name == "dev_labels":
        return data_version(rows, raw.gold.select("item_id", "split"))
    return data_version(rows)


def _gold(raw: Corpus, split: str) -> pl.DataFrame:
    return raw.gold.filter(pl.col("split") == split).select("item_id", "label")


def _report(raw: Corpus) -> dict[str, dg.MetadataValue]:
    problems = pl.DataFrame(
        [
            {
                "problem": problem.kind,
                "rows": problem.count,
                "examples": "; ".join(map(str, problem.examples)),
            }
            for problem in raw.report.problems
        ],
        schema={"problem": pl.String, "rows": pl.Int64, "examples": pl.String},
    )
    return {
        "rows_read": dg.MetadataValue.int(raw.report.rows_read),
        "rows_left_out": table(problems),
        "splits": table(raw.items["split"].value_counts(sort=True)),
        "preview": table(raw.items.select("item_id", "split", "text"), most=5),
    }
