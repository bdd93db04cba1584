"""``frames``: videos decoded once, cut into items, measured."""

import dagster as dg
import polars as pl

from assets.keys import CORPUS, key, placed
from assets.metadata import schema, table
from assets.pictures import Tile, caption, contact_sheet
from assets.progress import progress
from assets.sampling import sampling
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.corpus import (
    UNUSABLE,
    fetch_source,
    refuse_bad_videos,
    scan_missing,
    task_videos,
    video_items,
    videos_table,
)
from epoxy_core.source_settings import VideoSource
from epoxy_core.task import Task

SHOWN = 24
"""Frames on the contact sheet."""


def frames_asset(task: Task, source: VideoSource) -> dg.AssetsDefinition:
    """What scanning every video gave, in LanceDB; only new videos are decoded."""

    @dg.asset(
        key=key(task, "frames"),
        deps=[key(task, "source")],
        description="Videos cut into items: sampled frames, what was measured on them, captions, "
        "thumbnails. Stored under the hash of the video: a second run decodes nothing.",
        code_version=code_version(
            __file__,
            "corpus/scan.py",
            "corpus/videos.py",
            settings=[sampling(source), source.on_bad_video],
        ),
        metadata=schema("videos"),
        op_tags={"dagster/priority": "1"},
        pool="video",
        **placed(task, CORPUS, "ffmpeg", "lancedb"),
    )
    def frames(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        fetch_source(task)
        videos = task_videos(task)
        scans = store.frames(task)
        with progress(context, "decoding, MiB") as report:
            scanned_now = scan_missing(videos, source, scans, report)
        if scanned_now:
            scans.compact()
        scanned = scans.load([video.identity for video in videos])
        about = videos_table(videos, scanned)
        refuse_bad_videos(task, about)
        items = video_items(videos, scanned)
        shown = items.gather_every(max(1, -(-items.height // SHOWN)))
        return dg.MaterializeResult(
            data_version=data_version(about, scanned.items),
            metadata={
                "dagster/row_count": items.height,
                "videos": about.height,
                "decoded_now": scanned_now,
                "already_stored": about["digest"].n_unique() - scanned_now,
                "hours": float(about["duration"].sum()) / 3600,
                "left_out": about.filter(UNUSABLE).height,
                "problems": table(about.drop_nulls("problem").select("video", "items", "problem")),
                "files": table(about.drop("digest", "problem")),
                **_sheet(store, task, shown),
            },
        )

    return frames


def _sheet(store: Store, task: Task, shown: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    if shown.is_empty():
        return {}
    pictures = store.frames(task).thumbnails(shown["content_hash"].to_list())
    tiles = [
        Tile(caption(item_id), pictures.get(content))
        for item_id, content in shown.select("item_id", "content_hash").iter_rows()
    ]
    return {"pictures": contact_sheet([("", tiles)])}
