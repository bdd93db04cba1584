"""The shipped tasks load, and label the real data well where it can be fetched."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from support import epoxy

from epoxy_core.corpus import fetch_source, read_corpus
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.storage.database import Database
from epoxy_core.task import discover, load_task

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("folder", discover(EXAMPLES), ids=lambda folder: folder.name)
def test_task_loads(folder):
    assert len(load_labeling_functions(load_task(folder))) >= 10


def test_every_clip_of_animation_is_fetched_and_in_one_split():
    task = load_task(EXAMPLES / "animation")
    labels = pl.read_csv(EXAMPLES / "animation" / "labels.csv")
    fetched = [fetch.path for fetch in task.source.fetch]
    assert sorted(labels["video"].unique()) == sorted(fetched)
    assert len(fetched) == len(set(fetched))
    assert (labels.group_by("video").agg(pl.col("split").n_unique())["split"] == 1).all()
    held_out = labels.filter(pl.col("split") != "unlabeled").group_by("split")
    classes = {split: set(rows["label"]) for (split,), rows in held_out}
    assert classes == {"dev": set(task.classes), "test": set(task.classes)}


@pytest.fixture(scope="module")
def sms(tmp_path_factory):
    """A copy of the task with its real data, from a checkout that has it or the registry."""
    folder = tmp_path_factory.mktemp("examples") / "sms_spam"
    shutil.copytree(EXAMPLES / "sms_spam", folder)
    try:
        fetch_source(load_task(folder))
    except EpoxyError as error:
        pytest.skip(f"the data of sms_spam cannot be fetched here: {error.problem}")
    return folder


def test_the_split_is_what_the_heuristics_were_written_from(sms):
    corpus = read_corpus(load_task(sms))
    assert dict(corpus.report.splits) == {"unlabeled": 2917, "dev": 234, "test": 1383}


def test_sms_spam_from_raw_file_to_end_model(sms, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path))
    code, said = epoxy(capsys, "run", str(sms))
    assert code == 0, said
    scores = Database(tmp_path / "sms_spam" / "labels.duckdb").query(
        "SELECT stage, value FROM evaluation WHERE split = 'dev' AND metric = 'accuracy'"
    )
    accuracy = dict(scores.iter_rows())
    assert accuracy["extended_votes"] >= accuracy["majority_vote"] - 0.01
    assert accuracy["end_model"] > 0.94
    assert "end model" in said
