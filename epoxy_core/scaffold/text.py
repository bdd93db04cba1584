"""A new task on text: settings and heuristics that fit the data, as far as can be told."""

from pathlib import Path

import polars as pl

from epoxy_core.corpus.files import SUFFIXES
from epoxy_core.errors import EpoxyError
from epoxy_core.scaffold.words import quoted, relative, task_name
from epoxy_core.task import MAX_CLASSES, TASK_FILE

ROWS_READ = 1000

SETTINGS = """\
# A labeling task. Every setting: docs/task.md. Check it with: epoxy check {folder}
name: {name}
description: What is labelled, and what for.

source:
  paths: [{path}]
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
  dev: {share} # share of the labelled items that tune thresholds and fill the LF table
  test: {share} # share held out for the report; what remains may be trained on"""

NO_LABELS = """\
# labels:
#   column: label
#   dev: 0.5
#   test: 0.5"""

HEURISTICS = '''\
"""Labeling functions: each votes a class or abstains (None)."""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, keywords, labeling_function

mentions_offer = keywords("mentions_offer", vote={positive}, words=["free", "offer", "win"])


@labeling_function
def asks_a_question(x):
    """People who ask are people who write to somebody."""
    return {negative} if x.text.rstrip().endswith("?") else None


@expression_labeling_function(vote={positive})
def many_exclamation_marks():
    """Three or more."""
    return pl.col("text").str.count_matches("!") >= 3
'''

EXAMPLE = (  # two dev and two test items, of each class one; six to train on
    ("You win, call now!!!", "positive"),
    ("Are you at home?", "negative"),
    ("Win a free prize now!!!", "positive"),
    ("Are we still meeting at seven?", "negative"),
    ("See you tomorrow", None),
    ("Last chance to win!!! Reply now", None),
    ("Did you get home safely?", None),
    ("Claim your free ticket", None),
    ("When does the train leave?", None),
    ("A holiday for you, call now!!!", None),
)


def text_task(folder: Path, data: Path | None) -> dict[Path, str]:
    """Files of a new task on text, with what is to be in them.

    Parameters
    ----------
    folder
        Where it will be.
    data
        The raw data; without any, a few example rows are among the files.

    Raises
    ------
    EpoxyError
        If the data cannot be read.
    """
    example = pl.DataFrame(EXAMPLE, schema=["text", "label"], orient="row")
    sample = example if data is None else _sample(data)
    raw = data or folder / "data" / "items.csv"
    label, classes, share = _labels(sample)
    id_column = next((c for c in sample.columns if c.lower() in {"id", "item_id", "uid"}), None)
    settings = SETTINGS.format(
        folder=folder,
        name=task_name(folder),
        path=relative(raw, folder),
        text=quoted(_text_column(sample)),
        id=f"\n  id: {quoted(id_column)}"
        if id_column
        else " # without an id column, a hash of the text is the id",
        classes=", ".join(map(quoted, classes)),
        labels=LABELS.format(column=quoted(label), share=share) if label else NO_LABELS,
        positive=quoted(classes[-1]),
    )
    heuristics = HEURISTICS.format(negative=repr(classes[0]), positive=repr(classes[-1]))
    files = {folder / TASK_FILE: settings, folder / "labeling_functions.py": heuristics}
    return files if data else {**files, raw: example.write_csv()}


def _labels(sample: pl.DataFrame) -> tuple[str | None, list[str], float]:
    """Label column, classes, and the share of dev and of test labels.

    Where every row has a label, some must be left to train on.
    """
    for name in sample.columns:
        if name.lower() in {"label", "class", "target"}:
            values = sample[name].cast(pl.String).str.strip_chars().replace("", None)
            classes = sorted(values.drop_nulls().unique())
            if 2 <= len(classes) <= MAX_CLASSES:
                return name, classes, 0.3 if not values.null_count() else 0.5
    return None, ["negative", "positive"], 0.5


def _sample(data: Path) -> pl.DataFrame:
    """The first rows, read leniently: what is wrong with some of them, ``epoxy check`` tells."""
    kind = "txt" if data.is_dir() else SUFFIXES.get(data.suffix.lower())
    try:
        match kind:
            case "csv" | "tsv":
                return pl.read_csv(
                    data,
                    n_rows=ROWS_READ,
                    infer_schema=False,
                    separator="," if kind == "csv" else "\t",
                    encoding="utf8-lossy",
                    truncate_ragged_lines=True,
                )
            case "jsonl":
                return pl.read_ndjson(data, n_rows=ROWS_READ, ignore_errors=True)
            case "parquet":
                return pl.read_parquet(data, n_rows=ROWS_READ)
            case "txt":
                return pl.DataFrame({"text": ["documents have the one column text"]})
    except (pl.exceptions.PolarsError, OSError) as error:
        raise EpoxyError(
            f"cannot be read ({error})",
            where=str(data),
            remedy="Mend the file, or write task.yaml by hand.",
        ) from error
    raise EpoxyError(
        f"cannot tell what a {data.suffix or 'file without suffix'} is",
        where=str(data),
        remedy=f"Give one of {', '.join(SUFFIXES)}, a folder of .txt, a video, or a folder "
        "of videos.",
    )


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
