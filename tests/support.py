"""What several tests share: a small synthetic task, and running it."""

import itertools
import sys
from pathlib import Path

import polars as pl
import pytest

from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task

TASK = """\
name: messages
description: Synthetic messages.
source:
  paths: data/*.csv
  id: id
classes: [ham, spam]
labels:
  column: label
  dev: 0.4
  test: 0.3
extension:
  neighbors: 8
"""

HEURISTICS = '''\
"""Heuristics of the tests."""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, keywords, labeling_function
from helpers import LIMIT, looks_like_a_number

SPAM_WORDS = ["free", "prize"]

words = keywords("words", vote="spam", words=SPAM_WORDS)


def _asks(text):
    return text.endswith("?")


@labeling_function
def question(x):
    """People ask."""
    return "ham" if _asks(x.text) else None


@labeling_function
def number(x):
    return "spam" if looks_like_a_number(x.text) else None


@expression_labeling_function(vote="ham")
def short():
    return pl.col("text").str.len_chars() < LIMIT
'''

HELPERS = """\
LIMIT = 24


def looks_like_a_number(text):
    return any(word.isdigit() and len(word) > 4 for word in text.split())
"""

SPAM = [
    "{} a free prize now, call {}",
    "your account won {}, text {} today",
    "exclusive {} offer for you, reply {}",
]
HAM = ["are we still meeting {}{}?", "see you {} at {}", "mum says the {} is in room {}, come over"]
WORDS = ["claim", "tonight", "tickets", "dinner", "holiday", "cash", "garden", "monday"]


def messages(numbers):
    """Distinct messages, half of them spam, with ids and labels."""
    rows = []
    for i, (word, number) in enumerate(itertools.product(WORDS, numbers)):
        spam = i % 2 == 0
        template = (SPAM if spam else HAM)[i % 3]
        shown = f"{number}" if spam else f" {number % 997}"
        rows.append((f"m{number}{i:03d}", template.format(word, shown), "spam" if spam else "ham"))
    return pl.DataFrame(rows, schema=["id", "text", "label"], orient="row")


def bring_up_to_date(folder: Path, home: Home):
    """``epoxy run`` without the printing."""
    from pipelines.definitions import build
    from pipelines.instance import open_instance
    from pipelines.relabel import relabel

    task = load_task(folder)
    with open_instance(home) as instance:
        return relabel(instance, build([task], home), task)


def epoxy(capsys, *arguments):
    """Run the command line in this process; give its exit code and all it printed, unwrapped."""
    from pipelines import cli

    before, sys.argv = sys.argv, ["epoxy", *map(str, arguments)]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    printed = capsys.readouterr()
    return ended.value.code or 0, " ".join((printed.out + printed.err).split())


def ran(done) -> set[str]:
    """Keys of the assets that ran, without the task's name."""
    return {"/".join(asset.path[1:]) for asset in done.ran}


FOLLOWING = {
    "label_model",
    "lf_summary",
    "labels",
    "label_changes",
    "refined_labels",
    "training_set",
    "end_model",
    "evaluation",
}
"""The label model, and what depends on it."""

TABLES = (
    "items",
    "lf_votes",
    "extended_votes",
    "label_model",
    "lf_accuracy",
    "lf_summary",
    "training_set",
)


def tables(folder: Path, home: Home) -> dict[str, pl.DataFrame]:
    """Every table's rows, but for what names a run."""
    database = Database(home.database(load_task(folder).name))
    found = {name: database.query(f"SELECT * FROM {name}") for name in TABLES}
    found["labels"] = database.query("SELECT item_id, label, probabilities, votes FROM labels")
    found["predictions"] = database.query("SELECT * FROM predictions")
    return {
        name: rows.drop("run_id", "source", strict=False).sort(pl.all().exclude(pl.List))
        for name, rows in found.items()
    }


def edit(file: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    source = file.read_text()
    assert old in source
    file.write_text(source.replace(old, new))
