"""A change re-runs what depends on it and nothing else; a result that did not change stops it."""

import numpy as np
import polars as pl
import pytest
from support import FOLLOWING, bring_up_to_date, edit, messages, ran

from assets.features import stored_features
from assets.store import Store
from epoxy_core.end_model import load_head
from epoxy_core.neighbors import neighbor_graph
from epoxy_core.task import load_task


def of_lf(name):
    return {f"lf/{name}", f"extended/{name}"}


def test_first_run_makes_everything_and_the_second_nothing(project):
    folder, home = project
    first = bring_up_to_date(folder, home)
    assert not first.failures
    lfs = {"words", "question", "number", "short"}
    assert (
        ran(first)
        == {"items", "dev_labels", "test_labels", "embeddings", "neighbors", "lexical"}
        | {f"{step}/{lf}" for step in ("lf", "extended") for lf in lfs}
        | FOLLOWING
    )
    assert all(str(why) == "never made" for why in first.ran.values())
    assert ran(bring_up_to_date(folder, home)) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "first", "never"),
    [
        (
            "labeling_functions.py",
            'endswith("?")',
            'endswith("t")',
            of_lf("question"),
            {"lf/words"},
        ),
        ("labeling_functions.py", '"free", "prize"', '"offer"', of_lf("words"), {"lf/number"}),
        ("helpers.py", "LIMIT = 24", "LIMIT = 34", of_lf("short"), {"lf/number"}),
        ("helpers.py", "> 4", "> 7", of_lf("number"), {"lf/short", "lf/question"}),
        (
            "task.yaml",
            "neighbors: 8",
            "neighbors: 8\n  threshold: 0.9",
            {"extended/words"},
            {"lf/words", "neighbors"},
        ),
        ("task.yaml", "neighbors: 8", "neighbors: 9", {"neighbors"}, {"lf/words", "embeddings"}),
        (
            "task.yaml",
            "classes:",
            "label_model: {method: triplets}\nclasses:",
            {"label_model"},
            {"extended/words"},
        ),
    ],
)
def test_an_edit_runs_what_depends_on_it(finished, file, old, new, first, never):
    folder, home = finished
    edit(folder / file, old, new)
    did = ran(bring_up_to_date(folder, home))
    assert first <= did
    assert not never & did
    assert ran(bring_up_to_date(folder, home)) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("labeling_functions.py", "def question(x):", "# why\ndef question(x):", set()),
        ("labeling_functions.py", '"""People ask."""', '"""Asking."""', set()),
        ("labeling_functions.py", 'endswith("?")', 'endswith("?"[:])', {"lf/question"}),
        ("labeling_functions.py", '"free", "prize"', '"prize", "free"', set()),
        ("task.yaml", "Synthetic messages.", "Messages.", set()),
    ],
)
def test_what_changes_no_vote_goes_no_further(finished, file, old, new, expected):
    folder, home = finished
    edit(folder / file, old, new)
    assert ran(bring_up_to_date(folder, home)) == expected


def test_new_rows_are_embedded_and_nothing_else_is(finished):
    folder, home = finished
    messages(range(70000, 70013)).head(100).write_csv(folder / "data" / "second.csv")
    store = Store(home=str(home.root))
    task = load_task(folder)
    before = len(store.database(task).item_ids())
    done = bring_up_to_date(folder, home)
    assert {"items", "embeddings", "neighbors", "lf/words"} <= ran(done)
    assert len(store.database(task).item_ids()) == before + 100
    assert _embedded_now(home, task) == 100
    items = store.database(task).query("SELECT item_id, content_hash FROM items ORDER BY item_id")
    graph = store.neighbors(task).read(items["item_id"])
    fresh = neighbor_graph(store.embeddings(task).load(items["content_hash"].to_list()), 8)
    np.testing.assert_array_equal(graph.indices, fresh.indices)
    np.testing.assert_array_equal(graph.similarity, fresh.similarity)


def test_a_removed_labeling_function_leaves_the_tables(finished):
    folder, home = finished
    edit(folder / "labeling_functions.py", "words = keywords(", "_ = (")
    edit(folder / "labeling_functions.py", '_ = ("words", vote="spam", words=SPAM_WORDS)', "")
    done = bring_up_to_date(folder, home)
    assert "label_model" in ran(done)
    assert "extended/words is gone" in str(
        next(why for asset, why in done.ran.items() if asset.path[-1] == "label_model")
    )
    database = Store(home=str(home.root)).database(load_task(folder))
    for table in ("lf_votes", "extended_votes", "label_model", "lf_summary"):
        lfs = database.query(f"SELECT DISTINCT lf FROM {table}")["lf"]
        assert sorted(lfs) == ["number", "question", "short"], table


def test_reverting_an_edit_restores_the_labels(finished):
    folder, home = finished
    database = Store(home=str(home.root)).database(load_task(folder))
    sql = "SELECT item_id, label, confidence FROM labels ORDER BY item_id"
    before = database.query(sql)
    edit(folder / "helpers.py", "> 4", "> 7")
    bring_up_to_date(folder, home)
    assert not database.query(sql).equals(before)
    changed = database.query("SELECT count(*) FROM label_changes WHERE label_before IS NOT NULL")
    assert changed[0, 0] > 0
    edit(folder / "helpers.py", "> 7", "> 4")
    bring_up_to_date(folder, home)
    assert database.query(sql).equals(before)


def test_a_raising_labeling_function_fails_alone(finished):
    folder, home = finished
    edit(
        folder / "labeling_functions.py",
        'return "spam" if looks',
        'x.nothing\n    return "spam" if looks',
    )
    edit(folder / "labeling_functions.py", 'endswith("?")', 'endswith("t")')
    done = bring_up_to_date(folder, home)
    assert ran(done) == {"lf/question"}
    assert "number" in done.failures[0]
    assert "labeling_functions.py" in done.failures[0]
    assert "nothing" in done.failures[0]
    edit(folder / "labeling_functions.py", "x.nothing\n    ", "")
    again = bring_up_to_date(folder, home)
    assert not again.failures
    assert {"extended/question", "labels"} <= ran(again)
    assert "lf/question" not in ran(again)


def test_a_few_errors_are_reported_and_forgiven(finished):
    folder, home = finished
    edit(
        folder / "labeling_functions.py",
        'return "spam" if looks',
        'assert "m8000000" not in x.item_id\n    return "spam" if looks',
    )
    done = bring_up_to_date(folder, home)
    assert not done.failures
    errors = Store(home=str(home.root)).database(load_task(folder)).query("SELECT * FROM lf_errors")
    assert errors["lf"].unique().to_list() == ["number"]
    assert errors["item_id"].str.starts_with("m8000000").all()
    assert errors["error"].str.contains("AssertionError").all()


def _embedded_now(home, task):
    import dagster as dg

    from pipelines.instance import open_instance

    with open_instance(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([task.name, "embeddings"]))
        return event.asset_materialization.metadata["embedded_now"].value


def test_training_set_files_match_the_table(finished):
    folder, home = finished
    task = load_task(folder)
    store = Store(home=str(home.root))
    table = store.database(task).query("SELECT item_id, label FROM training_set ORDER BY item_id")
    exported = home.training_set(task.name)
    parquet = pl.read_parquet(exported / "training_set.parquet").sort("item_id")
    lines = pl.read_ndjson(exported / "training_set.jsonl").sort("item_id")
    assert parquet.select("item_id", "label").equals(table)
    assert lines.select("item_id", "label").equals(table)
    assert parquet.columns == [
        "item_id",
        "text",
        "label",
        "confidence",
        "probabilities",
        "weight",
        "source",
        "split",
        "run_id",
    ]
    by_hand = parquet.filter(pl.col("source") == "hand label")
    assert set(by_hand["split"]) == {"dev"}
    assert set(parquet["split"]) == {"unlabeled", "dev"}
    assert (parquet["weight"] > 0).all()
    assert (by_hand["confidence"] == 1).all()
    runs = store.database(task).query("SELECT run_id FROM label_runs")["run_id"]
    assert set(parquet["run_id"]) <= set(runs)


def test_dev_items_are_predicted_by_heads_that_did_not_see_them(finished):
    folder, home = finished
    task = load_task(folder)
    store = Store(home=str(home.root))
    rows = store.database(task).query(
        "SELECT content_hash, split, probabilities, item_id IN (SELECT item_id FROM training_set"
        " WHERE source = 'hand label') AS by_hand FROM items JOIN predictions USING (item_id)"
        " WHERE stage = 'end_model' ORDER BY item_id"
    )
    head, _ = load_head(home.end_model(task.name))
    seen = head.predict_proba(stored_features(task, store, rows["content_hash"].to_list()))
    moved = np.abs(seen - np.array(rows["probabilities"].to_list())).max(axis=1)
    by_hand = rows["by_hand"].to_numpy()
    assert by_hand.any()
    assert (moved[by_hand] > 1e-4).mean() > 0.9
    assert moved[~by_hand].max() < 1e-6


def test_hand_labels_can_be_held_out(finished):
    folder, home = finished
    edit(folder / "task.yaml", "classes:", "training_set: {hand_labels: hold_out}\nclasses:")
    done = bring_up_to_date(folder, home)
    assert {"refined_labels", "training_set", "end_model"} <= ran(done)
    assert not {"label_model", "labels"} & ran(done)
    task = load_task(folder)
    rows = Store(home=str(home.root)).database(task).query("SELECT split, source FROM training_set")
    assert set(rows["split"]) == {"unlabeled"}
    assert "hand label" not in set(rows["source"])


def test_other_splits_rerun_no_heuristic(finished):
    folder, home = finished
    edit(folder / "task.yaml", "dev: 0.4", "dev: 0.3")
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert {"items", "dev_labels", "training_set"} <= ran(done)
    assert not any(name.startswith("lf/") for name in ran(done))
    assert not {"embeddings", "neighbors"} & ran(done)
