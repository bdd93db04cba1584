"""Scan only what a store does not hold yet, and keep every finished video."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import polars as pl

from epoxy_core.corpus.videos import Video
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import VideoSource
from epoxy_core.video import Scan, probe, scan_video

VIDEOS = {
    "identity": pl.String,
    "duration": pl.Float64,
    "width": pl.Int64,
    "height": pl.Int64,
    "fps": pl.Float64,
    "codec": pl.String,
    "rotation": pl.Int64,
    "container": pl.String,
    "has_audio": pl.Boolean,
    "metadata": pl.String,
    "problem": pl.String,
    "n_items": pl.Int64,
}
"""What is kept of a video; where nothing of it can be decoded, the problem alone."""


@dataclass(frozen=True)
class Scanned:
    """Scans of several videos.

    Attributes
    ----------
    videos
        Columns of `VIDEOS`; ``metadata`` is a JSON object. The codec is null where nothing can be
        decoded.
    items
        identity, content_hash, and the columns of ``Scan.items`` but thumbnails; by identity, in
        time order. The content hash is the blake2b-128 of "<digest>:<frames, joined by commas>".
    """

    videos: pl.DataFrame
    items: pl.DataFrame


class ScanStore(Protocol):
    """Anything that keeps scans by the identity of the video."""

    def missing(self, identities: Sequence[str]) -> list[str]:
        """List the identities not stored yet, each once."""
        ...

    def append(self, identity: str, digest: str, scan: Scan) -> None:
        """Keep the scan of a video with this digest, durably on return."""
        ...

    def reject(self, identity: str, problem: str) -> None:
        """Keep that nothing of it can be decoded, and why."""
        ...


def scan_missing(
    videos: Sequence[Video],
    source: VideoSource,
    store: ScanStore,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Scan the videos that the store lacks.

    Every video is stored as soon as it is scanned, so a run that is killed continues with the one
    it was at. Of several copies of a video one is scanned.

    Parameters
    ----------
    videos
        The videos.
    source
        How they are sampled.
    store
        See `FrameStore`.
    progress
        Called with (read, to read), in mebibytes.

    Returns
    -------
    int
        How many videos were scanned.
    """
    missing = set(store.missing([video.identity for video in videos]))
    wanted = {video.identity: video for video in reversed(videos) if video.identity in missing}
    sizes = {identity: _mebibytes(video.path) for identity, video in wanted.items()}
    total, done = max(1, round(sum(sizes.values()))), 0.0

    def report(further: float) -> None:
        if progress is not None:
            progress(min(total, round(done + further)), total)

    def decoded(seconds: float, *, size: float, pace: float) -> None:
        report(min(size, seconds * pace))

    for identity, video in sorted(wanted.items(), key=lambda each: each[1].name):
        size = sizes[identity]
        report(0.0)
        try:
            pace = size / max(probe(video.path, source).duration, 1.0)
            scan = scan_video(video.path, source, partial(decoded, size=size, pace=pace))
        except EpoxyError as error:
            store.reject(identity, error.problem)
        else:
            store.append(identity, video.digest, scan)
        done += size
    report(0.0)
    return len(wanted)


def _mebibytes(path: Path) -> float:
    return path.stat().st_size / 2**20 if path.is_file() else 0.0
