"""``epoxy init``: a task folder that passes ``epoxy check`` at once."""

import os
import re
from pathlib import Path

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.task import TASK_FILE

SETTINGS = """\
# A labeling task. Every setting: docs/task.md. Check it with: epoxy check {folder}
name: {name}
description: What is labelled, and what for.

source:
  paths: {paths}
  text: {text}{id}

classes: [{classes}] # a vote is one of these names, or its position

# Hand labels, if there are any: a column of the source, or a file with columns id, label.
{labels}

labeling_functions:
  file: labeling_functions.py
  heuristics: # the same without Python
    - {{name: shouting, type: regex, vote: {positive}, pattern: '[A-Z]{{5,}}'}}
"""

LABELS = """\
labels:
  column: {column}
  dev: 0.5 # share of the labelled items that tune thresholds and fill the LF table
  test: 0.5 # share held out for the report"""

NO_LABELS = """\
# labels:
#   column: label
#   dev: 0.5
#   test: 0.5"""

HEURISTICS = '''\
"""Labeling functions: each votes a class or abstains (None)."""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, keywords, labeling_function

mentions_offer = keywords("mentions_offer", vote="{positive}", words=["free", "offer", "win"])


@labeling_function
def asks_a_question(x):
    """People who ask are people who write to somebody."""
    return "{negative}" if x.text.rstrip().endswith("?") else None


@expression_labeling_function(vote="{positive}")
def many_exclamation_marks():
    """Three or more."""
    return pl.col("text").str.count_matches("!") >= 3
'''

EXAMPLE = (
    ("Win a free prize now!!!", "positive"),
    ("Are we still meeting at seven?", "negative"),
    ("FREE offer, today only", "positive"),
    ("Could you send me the notes?", "negative"),
    ("See you tomorrow", ""),
    ("Last chance to win!!! Reply now", ""),
)


def scaffold(folder: Path, data: Path | None = None) -> list[Path]:
    """Write a new task.

    Parameters
    ----------
    folder
        Where to; must not hold a task already.
    data
        Raw file (CSV, TSV, JSONL, Parquet) or folder of .txt the task should read; without one,
        six example rows are written.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    EpoxyError
        If a task is there already, or the data cannot be read.
    """
    if (folder / TASK_FILE).exists():
        raise EpoxyError(
            "a task is there already", where=str(folder), remedy="Choose another folder."
        )
    if data is not None and not data.exists():
        raise EpoxyError("no such file", where=str(data), remedy="Check the path after --data.")
    written: dict[Path, str] = {}
    if data is None:
        data = folder / "data" / "items.csv"
        rows = "\n".join(f'"{text}",{label}' for text, label in EXAMPLE)
        written[data] = f"text,label\n{rows}\n"
        columns = {"text": [text for text, _ in EXAMPLE], "label": [label for _, label in EXAMPLE]}
        sample = pl.DataFrame(columns)
    else:
        sample = _sample(data)
    text = _text_column(sample)
    label = next((c for c in sample.columns if c.lower() in {"label", "class", "target"}), None)
    id_column = next((c for c in sample.columns if c.lower() in {"id", "item_id", "uid"}), None)
    classes = sorted({str(v) for v in sample[label].drop_nulls() if str(v)}) if label else []
    classes = classes if len(classes) >= 2 else ["negative", "positive"]
    quoted = [f'"{name}"' for name in classes]
    paths = os.path.relpath(data.resolve(), folder.resolve())
    written[folder / TASK_FILE] = SETTINGS.format(
        folder=folder,
        name=_name(folder),
        paths=f'["{paths}"]',
        text=text,
        id=f"\n  id: {id_column}"
        if id_column
        else " # without an id column, a hash of the text is the id",
        classes=", ".join(quoted),
        labels=LABELS.format(column=label) if label else NO_LABELS,
        positive=quoted[-1],
    )
    written[folder / "labeling_functions.py"] = HEURISTICS.format(
        negative=classes[0], positive=classes[-1]
    )
    for file, content in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return sorted(written)


def _name(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"task_{name}"


def _sample(data: Path) -> pl.DataFrame:
    readers = {
        ".csv": lambda: pl.read_csv(data, n_rows=1000, infer_schema=False),
        ".tsv": lambda: pl.read_csv(data, n_rows=1000, infer_schema=False, separator="\t"),
        ".jsonl": lambda: pl.read_ndjson(data, n_rows=1000),
        ".parquet": lambda: pl.read_parquet(data, n_rows=1000),
    }
    if data.is_dir():
        return pl.DataFrame({"text": ["a folder of .txt has the one column text"]})
    if data.suffix not in readers:
        raise EpoxyError(
            f"cannot tell what a {data.suffix or 'file without suffix'} is",
            where=str(data),
            remedy=f"Give one of {', '.join(readers)}, or a folder of .txt.",
        )
    try:
        return readers[data.suffix]()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EpoxyError(
            f"cannot be read ({error})",
            where=str(data),
            remedy="Mend the file, or write task.yaml by hand.",
        ) from error


def _text_column(sample: pl.DataFrame) -> str:
    """The column named text, or else the one with the longest values."""
    named = next((c for c in sample.columns if c.lower() in {"text", "content", "message"}), None)
    if named:
        return named
    strings = sample.select(pl.col(pl.String))
    if not strings.width:
        raise EpoxyError(
            f"no text column among {sample.columns}", remedy="Name it in task.yaml: source.text."
        )
    lengths = strings.select(pl.all().str.len_chars().mean()).row(0)
    return strings.columns[max(range(len(lengths)), key=lambda i: lengths[i] or 0.0)]
