"""Videos that are no items of the task: what someone wants predictions for."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from epoxy_core.corpus import (
    UNUSABLE,
    identified,
    resolve_videos,
    scan_missing,
    video_items,
    videos_table,
)
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import VideoSource
from epoxy_core.storage.frames import FrameStore


def read_videos(
    source: VideoSource, files: Sequence[str], progress: Callable[[int, int], None]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cut videos into items as the task does.

    Parameters
    ----------
    source
        Of the task: what an item is, how frames are sampled, and the limits.
    files
        Videos, globs, or folders, relative to the working directory.
    progress
        See `scan_missing`.

    Returns
    -------
    rows, problems
        item_id, video, start, end, text (captions), path, frames; and video, problem of files
        that cannot be decoded, or not to their end.

    Raises
    ------
    EpoxyError
        If a file is absent or unreadable; if one cannot be decoded and ``source.on_bad_video`` is
        "error"; if no item remains.
    """
    chosen = source.model_copy(update={"paths": list(files)})
    found = resolve_videos(Path.cwd(), chosen, "the path")
    with tempfile.TemporaryDirectory(prefix="epoxy-predict-") as scratch:
        videos = identified(found, Path(scratch) / "digests.json")
        store = FrameStore(Path(scratch) / "lance", "")
        scan_missing(videos, source, store, progress)
        scanned = store.load([video.identity for video in videos])
    table = videos_table(videos, scanned)
    items = video_items(videos, scanned)
    problems = table.drop_nulls("problem").select("video", "problem")
    listed = "".join(f"\n    {name}: {problem}" for name, problem in problems.iter_rows())
    bad = table.filter(UNUSABLE).height
    if items.is_empty() or (bad and source.on_bad_video == "error"):
        raise EpoxyError(
            f"{bad} of {len(videos)} videos cannot be used{listed}",
            where=", ".join(files),
            remedy="Give videos that can be played.",
        )
    paths = {video.name: str(video.path) for video in videos}
    path = items["video"].replace_strict(paths, return_dtype=pl.String).alias("path")
    return items.select("item_id", "video", "start", "end", "text", path, "frames"), problems
