"""The items of a video task, from what scanning its videos gave."""

import json
import re
from collections.abc import Sequence

import polars as pl

from epoxy_core.corpus.gold import GOLD_SCHEMA, LABEL, Written, gold_labels, label_remedies
from epoxy_core.corpus.items import Corpus, corpus_of
from epoxy_core.corpus.label_file import read_video_labels
from epoxy_core.corpus.report import Findings
from epoxy_core.corpus.scan import Scanned
from epoxy_core.corpus.tables import FILE, LINE
from epoxy_core.corpus.videos import Video
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import GoldLabels
from epoxy_core.task import Task

OF_THE_VIDEO = ("duration", "width", "height", "fps", "codec")
META = "meta_"

UNUSABLE = pl.col("problem").is_not_null() & pl.col("codec").is_null()
"""Files of which nothing can be decoded, as rows of `videos_table`."""

_LEADING = ("item_id", "text", "content_hash", "video", "start", "end", "time", "frame")
_NAMED_IN_ERROR = 20


def video_items(videos: Sequence[Video], scanned: Scanned) -> pl.DataFrame:
    """Items of videos, whether a task's own or new ones.

    Parameters
    ----------
    videos
        The files; each gives items of its own, copies too.
    scanned
        Their scans; a file without one gives no items.

    Returns
    -------
    polars.DataFrame
        item_id ("<video>@<start in seconds>"), text (captions), content_hash, video, start, end,
        time, frame, what was measured, duration, width, height, fps, codec, ``meta_<key>`` of the
        container; and frames, the numbers of those to embed. By video, in time order.
    """
    named = pl.DataFrame(
        [(video.name, video.identity) for video in videos],
        schema={"video": pl.String, "identity": pl.String},
        orient="row",
    )
    about = scanned.videos.select("identity", *OF_THE_VIDEO, *_metadata(scanned.videos["metadata"]))
    items = (
        named.join(scanned.items, on="identity", maintain_order="left_right")
        .join(about, on="identity", how="left", maintain_order="left")
        .drop("identity")
    )
    if items.is_empty():
        return items
    milliseconds = (pl.col("start") * 1000).round().cast(pl.Int64)
    seconds = pl.format(
        "{}@{}.{}",
        "video",
        (milliseconds // 1000).cast(pl.String).str.zfill(6),
        (milliseconds % 1000).cast(pl.String).str.zfill(3),
    )
    items = items.with_columns(seconds.alias("item_id"))
    return items.select(*_LEADING, pl.exclude(*_LEADING)).sort("video", "start")


def video_corpus(task: Task, videos: Sequence[Video], scanned: Scanned) -> Corpus:
    """The items of a video task and their gold labels.

    Without a split column in ``labels.file``, whole videos are assigned to splits by a hash of
    their content, so that none is in two.

    Parameters
    ----------
    task
        A video task.
    videos
        Its files.
    scanned
        Their scans; files without one give no items.

    Raises
    ------
    EpoxyError
        If no item remains, if gold labels are wrong, or if ``labels.column`` names no column.
    """
    findings = Findings()
    items = video_items(videos, scanned)
    if items.is_empty():
        raise EpoxyError(
            f"no item remains of {len(videos)} videos{_listed(videos_table(videos, scanned))}",
            where=str(task.folder),
            remedy="Check source.paths, source.max_pixels and source.max_seconds.",
        )
    gold = pl.DataFrame(schema=GOLD_SCHEMA)
    if task.labels is not None:
        gold = _gold(task, task.labels, items, videos, findings)
    findings.raise_errors(str(task.folder), _remedies(task))
    hidden = [task.labels.column] if task.labels and task.labels.column else []
    return corpus_of(
        items.drop("frames", *hidden),
        gold,
        findings,
        rows_read=len(videos),
        files=[video.name for video in videos],
    )


def videos_table(videos: Sequence[Video], scanned: Scanned) -> pl.DataFrame:
    """One row per file: columns of the table ``videos``."""
    named = pl.DataFrame(
        [(video.name, video.digest, video.identity) for video in videos],
        schema={"video": pl.String, "digest": pl.String, "identity": pl.String},
        orient="row",
    )
    return named.join(scanned.videos, on="identity", maintain_order="left").select(
        "video",
        "digest",
        "duration",
        "width",
        "height",
        "fps",
        "codec",
        "rotation",
        pl.col("n_items").alias("items"),
        "problem",
    )


def refuse_bad_videos(task: Task, table: pl.DataFrame) -> None:
    """Stop where ``source.on_bad_video`` says so.

    Parameters
    ----------
    task
        A video task.
    table
        See `videos_table`.

    Raises
    ------
    EpoxyError
        Naming every file of which nothing can be decoded.
    """
    bad = table.filter(UNUSABLE)
    if task.video and task.video.on_bad_video == "error" and bad.height:
        raise EpoxyError(
            f"{bad.height} of {table.height} videos cannot be used{_listed(bad)}",
            where=str(task.folder),
            remedy="Mend or remove them, or set source.on_bad_video: skip.",
        )


def _gold(
    task: Task,
    labels: GoldLabels,
    items: pl.DataFrame,
    videos: Sequence[Video],
    findings: Findings,
) -> pl.DataFrame:
    names = [video.name for video in videos]
    if labels.column is not None:
        written = _labels_of_column(task, labels.column, items, names)
    else:
        written = read_video_labels(task, items, names, findings)
    contents = {video.name: video.digest for video in videos}
    together = items["video"].replace_strict(contents, return_dtype=pl.String)
    return gold_labels(
        labels,
        task.classes,
        written,
        items.select("item_id", together=together),
        "error",
        findings,
    )


def _labels_of_column(task: Task, column: str, items: pl.DataFrame, names: list[str]) -> Written:
    offered = [
        name for name in items.columns if name not in _LEADING and not items[name].dtype.is_nested()
    ]
    if column not in offered:
        raise EpoxyError(
            f"the items have no column {column!r}",
            where=f"{task.folder / 'task.yaml'}: labels.column",
            remedy=f"Name one of {', '.join(offered)}; or give labels.file.",
        )
    position = {name: number for number, name in enumerate(names)}
    rows = items.select(
        "item_id",
        pl.col(column).cast(pl.String).alias(LABEL),
        pl.col("video").replace_strict(position, return_dtype=pl.Int64).alias(FILE),
        pl.int_range(1, pl.len() + 1).over("video").alias(LINE),
    )
    return Written(rows, names)


def _metadata(column: pl.Series) -> list[pl.Series]:
    """A column for every key that any container has, named as columns are."""
    rows = [json.loads(value) if value else {} for value in column]
    tidy = [
        {META + re.sub(r"\W+", "_", key.lower()).strip("_"): value for key, value in row.items()}
        for row in rows
    ]
    names = sorted({name for row in tidy for name in row})
    return [pl.Series(name, [row.get(name) for row in tidy], dtype=pl.String) for name in names]


def _listed(table: pl.DataFrame) -> str:
    """A line for every file that has a problem."""
    found = table.filter(pl.col("problem").is_not_null()).select("video", "problem")
    lines = [f"\n    {name}: {problem}" for name, problem in found.head(_NAMED_IN_ERROR).rows()]
    more = found.height - len(lines)
    return "".join(lines) + (f"\n    … and {more} more" if more > 0 else "")


def _remedies(task: Task) -> dict[str, str]:
    file = task.labels.file if task.labels else ""
    rows = f"Mend these rows of {file}."
    return {
        "undecodable": rows,
        "malformed": rows,
        "conflicting_label": "Let stretches of one video with different labels not overlap.",
        "ambiguous_video": "Name the video by its path relative to the task folder.",
        "bad_stretch": "Give seconds, such as 12.5, with start before end; or leave both empty.",
        **label_remedies(task.classes),
    }
