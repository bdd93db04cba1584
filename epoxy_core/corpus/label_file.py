"""``labels.file``: hand labels by item, or by a stretch of a video."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from epoxy_core.corpus.files import label_files, labels_source
from epoxy_core.corpus.gold import LABEL, SPLIT, Written, examples
from epoxy_core.corpus.report import Findings
from epoxy_core.corpus.tables import FILE, LINE, read_table
from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task

_START, _END = "__start", "__end"


def read_label_file(task: Task, findings: Findings) -> Written:
    """Read ``labels.file`` of a text task: columns id, label and, if given, split.

    Raises
    ------
    EpoxyError
        As `resolve_files` and `read_table`.
    """
    rows, names = _read(task, ["id", "label"], ["split"], findings)
    source = _source(task)
    rows = rows.rename({"id": "item_id"})
    nameless = rows.filter(pl.col("item_id").fill_null("").str.strip_chars() == "")
    findings.add("missing_id", source.on_bad_row, nameless.height, examples(nameless, names, LABEL))
    return Written(rows.filter(pl.col("item_id").str.strip_chars() != ""), names)


def read_video_labels(
    task: Task, items: pl.DataFrame, videos: list[str], findings: Findings
) -> Written:
    """Read ``labels.file`` of a video task: columns video, label, or id, label.

    A label of a video holds for all of its items whose middle is in [start, end) seconds; without
    a start, from the beginning; without an end, to the end. A video is named by its path relative
    to the task folder, or by its file name if no other has that.

    Parameters
    ----------
    items
        item_id, video, start, end; of one video in time order.
    videos
        Names of all files, items or not.

    Raises
    ------
    EpoxyError
        As `resolve_files` and `read_table`; or if there is neither a video nor an id column.
    """
    optional = ["id", "video", "start", "end", "split"]
    rows, names = _read(task, ["label"], optional, findings)
    if "video" not in rows.columns:
        if "id" not in rows.columns:
            raise EpoxyError(
                f"no column 'video' and no column 'id' (found: {', '.join(rows.columns[:-2])})",
                where=", ".join(names),
                remedy="Name the video that a label is of, or the item by its id.",
            )
        rows = rows.rename({"id": "item_id"})
        return Written(rows.filter(pl.col("item_id").fill_null("").str.strip_chars() != ""), names)
    rows = _with_whole_names(rows, videos, names, findings)
    rows = _with_seconds(rows, names, findings)
    return Written(_spread(rows, items, names, findings), names)


def _read(
    task: Task, needed: list[str], optional: list[str], findings: Findings
) -> tuple[pl.DataFrame, list[str]]:
    """Rows with the columns named, as text, `LABEL`, `SPLIT` where given, `FILE` and `LINE`."""
    files = label_files(task)
    setting = f"the header of {task.labels.file if task.labels else ''}"
    table = read_table(
        files,
        _source(task),
        dict.fromkeys(needed, setting),
        findings,
        dict.fromkeys(optional, setting),
    )
    found = [name for name in (*needed, *optional) if name in table.frame.columns]
    renamed = {"label": LABEL, "split": SPLIT, "start": _START, "end": _END}
    rows = table.frame.select(
        *(pl.col(name).alias(renamed.get(name, name)) for name in found), FILE, LINE
    )
    return rows, [file.name for file in files]


def _source(task: Task) -> TextSource:
    source = labels_source(task)
    assert source is not None  # a task without a label file has no labels to read from it
    return source


def _with_whole_names(
    rows: pl.DataFrame, videos: list[str], names: list[str], findings: Findings
) -> pl.DataFrame:
    """Videos named as the items name them; rows of others are reported and left out."""
    whole = _whole_names(videos)
    given = rows["video"].fill_null("").str.strip_chars().str.strip_prefix("./")
    known = given.replace_strict(whole, default=None, return_dtype=pl.String)
    rows = rows.with_columns(given.alias("given"), known.alias("video"))
    several = {name for name, path in whole.items() if path is None}
    twice = pl.col("given").is_in(several)
    findings.add(
        "ambiguous_video",
        "error",
        rows.filter(twice).height,
        examples(rows.filter(twice), names, "given"),
    )
    strangers = rows.filter(pl.col("video").is_null() & ~twice)
    findings.add("unknown_video", "report", strangers.height, examples(strangers, names, "given"))
    return rows.filter(pl.col("video").is_not_null())


def _whole_names(videos: list[str]) -> Mapping[str, str | None]:
    """From file names and paths to paths; None for a file name that several have."""
    whole: dict[str, str | None] = {}
    for video in videos:
        short = video.rpartition("/")[2]
        whole[short] = None if short in whole else video
    return {**whole, **{video: video for video in videos}}


def _with_seconds(rows: pl.DataFrame, names: list[str], findings: Findings) -> pl.DataFrame:
    """Start and end as numbers; without them, the whole video."""
    sound = pl.lit(value=True)
    for name, absent in ((_START, -np.inf), (_END, np.inf)):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(absent).alias(name))
            continue
        text = pl.col(name).fill_null("").str.strip_chars()
        seconds = text.cast(pl.Float64, strict=False)
        rows = rows.with_columns(pl.when(text == "").then(absent).otherwise(seconds).alias(name))
        sound &= pl.col(name).is_not_null() & pl.col(name).is_not_nan()
    sound &= pl.col(_START) < pl.col(_END)
    bad = rows.filter(~sound.fill_null(value=False)).with_columns(
        pl.format(
            "{} to {}", pl.col(_START).fill_null(np.nan), pl.col(_END).fill_null(np.nan)
        ).alias("stretch")
    )
    findings.add("bad_stretch", "error", bad.height, examples(bad, names, "stretch"))
    return rows.filter(sound.fill_null(value=False))


def _spread(
    rows: pl.DataFrame, items: pl.DataFrame, names: list[str], findings: Findings
) -> pl.DataFrame:
    """One row for every item of every stretch."""
    of_video = {
        str(video): part.with_columns(middle=(pl.col("start") + pl.col("end")) / 2).sort("middle")
        for (video,), part in items.group_by("video")
    }
    parts, empty = [], []
    for row in rows.iter_rows(named=True):
        part = of_video.get(row["video"])
        if part is None:
            continue  # the file was left out, which is said elsewhere
        first, last = np.searchsorted(part["middle"], [row[_START], row[_END]])
        parts.append(part["item_id"].slice(int(first), int(last - first)))
        if first == last:
            empty.append((names[row[FILE]], row[LINE], f"{row['video']} from {row[_START]:g} s"))
    findings.add("empty_stretch", "report", len(empty), empty)
    held = rows.filter(pl.col("video").is_in(list(of_video)))
    return (
        held.with_columns(pl.Series("item_id", parts, dtype=pl.List(pl.String)))
        .explode("item_id")
        .filter(pl.col("item_id").is_not_null())
        .select("item_id", pl.exclude("item_id", "video", "given", "id", _START, _END))
    )
