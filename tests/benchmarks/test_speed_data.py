import json

import numpy as np
import polars as pl
import pytest

from benchmarks.reviews import overlapping_windows
from benchmarks.speed import graph, pipeline, relabel
from benchmarks.speed.data import HEURISTICS, Run, Source, prepare
from benchmarks.speed.peers.heuristics import HEURISTICS as FUNCTIONS
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import apply_labeling_functions, labeling_function, load_labeling_functions
from epoxy_core.task import load_task

TEXT = """
excellent Superb awful BORING boringly love best hated, poor weak stupid. no never nothing knot
very good really acted ? ?! ! at least supposed to instead of touching unmoving İ beautiful
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Windows and vectors as a user gives them."""
    folder = tmp_path_factory.mktemp("given")
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(TEXT.split(), 8)) + f" {i}" for i in range(300)]
    labels = generator.choice(["negative", "positive"], 300)
    pl.DataFrame(
        {"id": [f"{i:03d}" for i in range(300)], "text": texts, "label": labels}
    ).write_parquet(folder / "windows.parquet")
    vectors = generator.standard_normal((250, 16)).astype(np.float16)
    vectors[200] = 0
    np.save(folder / "vectors.npy", vectors)
    return folder


def run_of(given, cache, items, **others):
    source = Source(cache, given / "windows.parquet", given / "vectors.npy", **others)
    return Run(items, source, "no python", 1, 2, 2, False, {})


@pytest.fixture(scope="module")
def prepared(given, tmp_path_factory):
    run = run_of(given, tmp_path_factory.mktemp("cache"), 200)
    prepare(run)
    return run


def test_windows_overlap_and_come_once():
    texts = pl.DataFrame(
        {
            "text": ["a b c d<br />e f", "a b c d", "g"],
            "label": ["positive", "negative", "negative"],
        }
    )
    found = overlapping_windows(texts, words=4, stride=2)
    assert found.sort("text").rows() == [
        (found.sort("text")["id"][0], "a b c d", "positive"),
        (found.sort("text")["id"][1], "c d e f", "positive"),
        (found.sort("text")["id"][2], "g", "negative"),
    ]
    assert found["id"].to_list() == ["000000000", "000000001", "000000002"]
    assert found.equals(overlapping_windows(texts, words=4, stride=2))


def test_vectors_are_unit_and_votes_of_the_items(prepared):
    vectors, votes = np.load(prepared.vectors), np.load(prepared.votes)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert votes.shape == (200, 10)
    assert votes.dtype == np.int8
    assert (votes >= 0).any(axis=0).all(), "every heuristic votes somewhere"
    edited = np.load(prepared.edited_votes)
    hated = [lf.name for lf in load_labeling_functions(prepared.task)].index("hated")
    assert edited.shape == (200,)
    assert (edited != votes[:, hated]).any()


def test_the_functions_vote_as_the_ready_made(prepared):
    items = pl.read_parquet(prepared.texts)
    lfs = [labeling_function(function) for function in FUNCTIONS]
    votes = [r.votes for r in apply_labeling_functions(lfs, items, ["negative", "positive"])]
    names = [lf.name for lf in load_labeling_functions(prepared.task)]
    assert [function.__name__ for function in FUNCTIONS] == names
    np.testing.assert_array_equal(np.column_stack(votes), np.load(prepared.votes))


def test_what_is_made_is_not_made_again(prepared):
    before = prepared.vectors.stat().st_mtime_ns
    prepare(prepared)
    assert prepared.vectors.stat().st_mtime_ns == before
    other = json.loads((prepared.folder / "made_of.json").read_text())
    (prepared.folder / "made_of.json").write_text(json.dumps({**other, "embed": 5}))
    prepare(prepared)
    assert prepared.vectors.stat().st_mtime_ns != before


def test_bad_data_is_named(given, tmp_path):
    with pytest.raises(EpoxyError, match="300 windows, not 400"):
        prepare(run_of(given, tmp_path, 400))
    with pytest.raises(EpoxyError, match="a vector of zeros") as error:
        prepare(run_of(given, tmp_path, 210))
    assert "row 200" in str(error.value)
    with pytest.raises(EpoxyError, match="250 vectors"):
        prepare(run_of(given, tmp_path, 260))


def test_what_is_said_of_the_vectors(tmp_path):
    assert Source(tmp_path).described(1000) == "all embedded with the packaged model"
    assert Source(tmp_path, embed=1000).described(1000) == "all embedded with the packaged model"
    assert Source(tmp_path, embed=10).described(1000).startswith("10 embedded")


def test_recall_counts_ties_and_no_row_twice():
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    sample, least = np.array([0]), np.array([1.0], dtype=np.float32)

    def recall(*found):
        return graph.recall_of(vectors, sample, least, np.array([found], dtype=np.int32))

    assert recall(1, 2) == recall(2, 1) == 1
    assert recall(1, 1) == recall(1, 0) == recall(1, -1) == recall(1, 4) == 0.5
    assert recall(3, 4) == 0


def test_the_exact_neighbors_are_exact(prepared):
    sample, least = graph.exact_neighbors(prepared)
    vectors = np.load(prepared.vectors)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    kth = -np.sort(-similarity, axis=1)[:, graph.K - 1]
    np.testing.assert_array_equal(sample, np.arange(200))
    np.testing.assert_allclose(least, kth, atol=1e-6)


def test_stored_vectors_are_those_that_the_assets_look_for(prepared):
    home = pipeline.ready_home(prepared)
    from assets.store import Store
    from epoxy_core.corpus import read_corpus

    hashes = read_corpus(prepared.task).items.sort("item_id")["content_hash"].to_list()
    store = Store(home=str(home.root)).embeddings(prepared.task)
    assert store.missing(hashes) == []
    np.testing.assert_allclose(store.load(hashes), np.load(prepared.vectors), atol=1e-3)


def test_the_heuristics_with_a_function_vote_the_same(prepared, tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "task.yaml").write_text((prepared.task_folder / "task.yaml").read_text())
    (folder / "labeling_functions.py").write_text(relabel.with_function())
    lfs = load_labeling_functions(load_task(folder))
    assert [lf.name for lf in lfs if lf.kind == "item"] == ["asks"]
    items = pl.read_parquet(prepared.texts)
    votes = [r.votes for r in apply_labeling_functions(lfs, items, ["negative", "positive"])]
    np.testing.assert_array_equal(np.column_stack(votes), np.load(prepared.votes))
    for old, text in (
        (relabel.EXPRESSION, HEURISTICS.read_text()),
        (relabel.COUNT, relabel.with_function()),
    ):
        assert text.count(old) == 1
