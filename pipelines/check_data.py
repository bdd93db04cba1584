"""What ``epoxy check`` looks at before heuristics: raw data, hand labels and the encoder."""

from collections.abc import Sequence

import polars as pl
from rich.console import Console
from rich.markup import escape

from assets.store import Store
from epoxy_core.corpus import (
    Corpus,
    Video,
    fetch_source,
    read_corpus,
    refuse_bad_videos,
    scan_missing,
    task_videos,
    video_corpus,
    videos_table,
)
from epoxy_core.embed import DEFAULT_MODEL, resolve_clip, resolve_model
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.report import on_a_clock
from epoxy_core.source_settings import VideoSource
from epoxy_core.storage.frames import FrameStore
from epoxy_core.task import Task
from epoxy_core.video import probe

DECODED_SECONDS = 120.0
"""Of videos, how much is decoded to try heuristics on, if no run has decoded them yet."""

ORIGINS = {
    "packaged": "from the package registry, on the first run of any task",
    "file": "local weights",
    "folder": "local",
    "tag": "from the model hub, on the first run",
    "hub": "from the model hub, on the first run",
}
"""Where an image encoder comes from."""

_SHOWN = 20


def check_data(
    console: Console, task: Task, home: Home, problems: list[str]
) -> pl.DataFrame | None:
    """Read the raw data and hand labels; print what there is.

    Returns
    -------
    polars.DataFrame or None
        The items as heuristics see them, of videos those of some; None if there are none, which
        is in ``problems``.
    """
    try:
        fetch_source(task)
        if task.video:
            corpus, whole = _read_videos(console, task, task.video, home)
        else:
            corpus, whole = read_corpus(task), True
    except EpoxyError as error:
        problems.append(f"data: {error}")
        return None
    splits = ", ".join(f"{n:,} {split}" for split, n in sorted(corpus.report.splits.items()))
    so_far = "" if whole else " of the videos decoded so far"
    console.print(f"[green]✓[/green] data: {corpus.items.height:,} items{so_far} ({splits})")
    for found in corpus.report.problems:
        if whole or found.kind != "unknown_item":
            console.print(
                f"  [yellow]left out:[/yellow] {escape(str(found))}",
                highlight=False,
                soft_wrap=True,
            )
    present = set(corpus.gold["label"].unique())
    absent = [name for i, name in enumerate(task.classes) if i not in present]
    if task.labels and absent and whole:
        console.print(f"  [yellow]no hand label says {', '.join(absent)}[/yellow]")
    return corpus.items.drop("split")


def check_encoder(console: Console, task: Task, problems: list[str]) -> None:
    """Say which encoder there is and where it comes from."""
    try:
        if task.video:
            clip = resolve_clip(task.embedding.model, task.embedding.checkpoint, task.folder)
            name, place = clip.title, ORIGINS[clip.kind]
        else:
            model = resolve_model(task.embedding.model or DEFAULT_MODEL, task.folder)
            name, place = model.name, "" if model.folder else "from the model hub, on the first run"
    except EpoxyError as error:
        problems.append(f"encoder: {error}")
        return
    shown = f" ({place})" if place else ""
    console.print(f"[green]✓[/green] encoder: {escape(name)}{escape(shown)}", highlight=False)


def _read_videos(
    console: Console, task: Task, source: VideoSource, home: Home
) -> tuple[Corpus, bool]:
    """The corpus of the videos decoded so far, and whether that is all of them.

    What is decoded here is kept for the run.
    """
    videos = task_videos(task)
    scans = Store(home=str(home.root)).frames(task)
    missing = set(scans.missing([video.identity for video in videos]))
    identities = [video.identity for video in videos]
    lengths = _probe([video for video in videos if video.identity in missing], source, scans)
    scan_missing(_some(videos, lengths, scans), source, scans)
    scanned = scans.load(identities)
    table = videos_table(videos, scanned)
    known = dict(table.drop_nulls("duration").select("video", "duration").iter_rows())
    said = dict(table.drop_nulls("problem").select("video", "problem").iter_rows())
    _print_videos(console, len(videos), {**lengths, **known}, said)
    refuse_bad_videos(task, table)
    whole = not scans.missing(identities)
    return video_corpus(task, videos, scanned), whole


def _probe(videos: Sequence[Video], source: VideoSource, scans: FrameStore) -> dict[str, float]:
    """Durations of videos; what is wrong with those that have none is stored."""
    lengths: dict[str, float] = {}
    for video in videos:
        try:
            lengths[video.name] = probe(video.path, source).duration
        except EpoxyError as error:
            scans.reject(video.identity, error.problem)
    return lengths


def _some(videos: Sequence[Video], lengths: dict[str, float], scans: FrameStore) -> list[Video]:
    """The shortest that were not decoded yet, until there is enough to try heuristics on."""
    kept = scans.load([video.identity for video in videos])
    seconds = float(kept.videos["duration"].sum())
    chosen = []
    for video in sorted(videos, key=lambda video: (lengths.get(video.name, 0.0), video.name)):
        if video.name in lengths and seconds < DECODED_SECONDS:
            chosen.append(video)
            seconds += lengths[video.name]
    return chosen


def _print_videos(
    console: Console, total: int, lengths: dict[str, float], problems: dict[str, str]
) -> None:
    files = "1 file" if total == 1 else f"{total:,} files"
    console.print(
        f"[green]✓[/green] videos: {files}, {on_a_clock(sum(lengths.values()))}",
        highlight=False,
    )
    for name, problem in list(problems.items())[:_SHOWN]:
        what = "damaged" if name in lengths else "left out"
        console.print(
            f"  [yellow]{what}:[/yellow] {escape(f'{name}: {problem}')}",
            highlight=False,
            soft_wrap=True,
        )
    if len(problems) > _SHOWN:
        console.print(f"  … and {len(problems) - _SHOWN} more")
