"""A raw video, decoded once from beginning to end, as items with measures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from epoxy_core.source_settings import VideoSource
from epoxy_core.video.captions import caption_text, read_captions
from epoxy_core.video.probe import VideoInfo, nothing_decoded, probe
from epoxy_core.video.stretches import cut_into_items
from epoxy_core.video.table import SCHEMA, ItemTable
from epoxy_core.video.watch import Watch


@dataclass(frozen=True)
class Scan:
    """What became of a video.

    Attributes
    ----------
    info
        As `probe`, but with the duration that was decoded.
    items
        One row per item, in order of time; columns and types as in `SCHEMA`.
    problem
        What could not be decoded or read, with the times; None if all was well.
    """

    info: VideoInfo
    items: pl.DataFrame
    problem: str | None


def scan_video(
    path: Path, source: VideoSource, progress: Callable[[float], None] | None = None
) -> Scan:
    """Decode a video once, find its shots, cut it into items and measure them.

    Memory does not grow with the video but for the rows of the result. The same file and
    settings give the same result, whatever the number of threads.

    Parameters
    ----------
    path
        The video; captions are looked for beside it.
    source
        What an item is, how frames are sampled, and the limits.
    progress
        Called about once per second of video with the seconds decoded so far.

    Raises
    ------
    EpoxyError
        If it is no video, if not one frame can be decoded, or if it is beyond a limit, also when
        that shows only while decoding.
    """
    info = probe(path, source)
    watch = Watch(path, source, info, progress)
    table = ItemTable()
    for stretch in cut_into_items(watch.frames(), source):
        table.add(stretch)
    if not watch.shots:
        raise nothing_decoded(path, info.codec)
    items = table.finish(watch.shots, watch.end)
    captions = read_captions(path)
    text = caption_text(captions, items["start"].to_list(), items["end"].to_list())
    items = items.with_columns(pl.Series("text", text, pl.String)).select(*SCHEMA)
    problems = watch.problems() + ([captions.problem] if captions.problem else [])
    decoded = replace(info, duration=watch.end, fps=info.fps or watch.rate)
    return Scan(decoded, items, "; ".join(problems) or None)
