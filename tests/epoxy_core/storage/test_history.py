"""Label runs on a real DuckDB file: what is kept, what is read back, what changed and why."""

import numpy as np
import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.history import put_evidence
from epoxy_core.storage.label_runs import (
    changes_between,
    find_run,
    label_runs,
    labels_of,
    what_changed,
    with_texts,
)
from epoxy_core.storage.publish import RunFacts, accept, publish
from epoxy_core.storage.votes import extended_rows, keep_only, put_extended
from epoxy_core.task import Task

CLASSES = ["no", "yes"]
GRID = np.linspace(-1, 1, 9)
CURVE = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2], dtype=np.float64)


def task(**changes):
    return Task(name="t", source=TextSource(paths="x.csv"), **{"classes": CLASSES, **changes})


def facts(**fingerprints):
    return RunFacts("a Dagster run", fingerprints or {"one": "v1"}, "encoder", {"items": "i"})


@pytest.fixture
def database(tmp_path):
    found = Database(tmp_path / "labels.duckdb")
    ids = [f"i{n}" for n in range(6)]
    items = {"item_id": ids, "split": ["dev"] * 6, "text": ["a \n b"] * 6, "content_hash": ids}
    found.replace("items", pl.DataFrame(items))
    return found


def predict(database, classes=CLASSES, **probability_of_yes):
    """What the label model step writes; None: no label."""
    rows = [
        (
            item,
            "extended_votes",
            None if yes is None else classes[int(yes > 0.5)],
            None if yes is None else max(yes, 1 - yes),
            [0.5, 0.5] if yes is None else [1 - yes, yes],
        )
        for item, yes in probability_of_yes.items()
    ]
    columns = ["item_id", "stage", "label", "confidence", "probabilities"]
    with database.write() as connection:
        put(connection, "predictions", pl.DataFrame(rows, schema=columns, orient="row"))


def vote(database, lf, votes, weight=1.0, similarity=None, threshold=0.4, names=None):
    """What the extended step and the label model write; similarity: None of an own vote."""
    ids = database.item_ids()
    cast = np.array([-1 if each is None else each for each in votes], dtype=np.int8)
    near = np.array([np.nan if each is None else each for each in similarity or [None] * len(ids)])
    source = np.where(np.isnan(near), np.arange(len(ids)), (np.arange(len(ids)) + 1) % len(ids))
    near = np.where(np.isnan(near), 1, near).astype(np.float32)
    with database.write() as connection:
        put_extended(connection, lf, extended_rows(ids, lf, cast, source.astype(np.int32), near))
        known = names or [lf]
        put_evidence(
            connection,
            known,
            np.tile(weight * np.eye(2), (len(known), 1, 1)),
            np.zeros((len(known), 2)),
            np.full(len(known), threshold),
            GRID,
            np.tile(CURVE, (len(known), 1)),
        )


def published(database):
    rows = database.query("SELECT * FROM labels ORDER BY item_id")
    return rows.select("item_id", "label", "confidence", "probabilities")


def test_every_run_reads_back_exactly(database):
    rng = np.random.default_rng(0)
    ids = database.item_ids()
    values = dict.fromkeys(ids)
    kept = []
    for _ in range(8):
        for item in rng.choice(ids, 3, replace=False):
            values[item] = None if rng.random() < 0.3 else float(rng.random())
        predict(database, **values)
        publish(database, task(), facts())
        kept.append(published(database))
    runs = label_runs(database)
    assert [run.n_labeled for run in runs] == [rows.height for rows in kept]
    for run, rows in zip(runs, kept, strict=True):
        assert labels_of(database, run).equals(rows)
    assert database.query("SELECT count(*) FROM label_history")[0, 0] < sum(
        rows.height for rows in kept
    )
    for i, before in enumerate(runs):
        for after in runs[i + 1 :]:
            found = changes_between(database, before, after)
            old, new = kept[runs.index(before)], kept[runs.index(after)]
            joined = old.join(new, on="item_id", how="full", coalesce=True)
            other = joined.filter(pl.col("label").ne_missing(pl.col("label_right")))
            assert found["item_id"].to_list() == sorted(other["item_id"])


def test_a_run_that_changes_nothing_is_recorded_and_adds_no_history(database):
    predict(database, i0=0.9, i1=0.2)
    first = publish(database, task(), facts())
    second = publish(database, task(), facts())
    assert (first.run["n_changed"], second.run["n_changed"]) == (2, 0)
    history = database.query("SELECT * FROM label_history")
    assert set(history["run_id"]) == {first.run["run_id"]}
    runs = label_runs(database)
    assert [run.run_id for run in runs] == [first.run["run_id"], second.run["run_id"]]
    assert labels_of(database, runs[1]).equals(labels_of(database, runs[0]))


def test_a_changed_probability_is_history_but_no_change_of_label(database):
    predict(database, i0=0.9, i1=0.75)
    first = publish(database, task(), facts()).run["run_id"]
    predict(database, i0=0.92, i1=0.754)  # i1 stays on its step of the grid
    second = publish(database, task(), facts())
    assert second.changes.height == 0
    runs = label_runs(database)
    assert labels_of(database, runs[0])["confidence"].to_list() == pytest.approx([0.9, 0.75])
    assert labels_of(database, runs[1])["confidence"].to_list() == pytest.approx([0.92, 0.75])
    rows = database.query("SELECT item_id, run_id FROM labels ORDER BY item_id")
    assert rows["run_id"].to_list() == [second.run["run_id"], first]
    assert database.query("SELECT * FROM label_history").height == 3


def test_runs_are_in_order_even_if_the_clock_is_set_back(database):
    predict(database, i0=0.9)
    first = publish(database, task(), facts())
    with database.write() as connection:
        connection.execute("UPDATE label_runs SET created_at = created_at + INTERVAL 3 DAYS")
    predict(database, i0=0.1)
    second = publish(database, task(), facts())
    runs = label_runs(database)
    assert [run.run_id for run in runs] == [first.run["run_id"], second.run["run_id"]]
    assert labels_of(database, runs[0])["label"].to_list() == ["yes"]
    assert labels_of(database, runs[1])["label"].to_list() == ["no"]


def test_causes_compare_the_votes_and_weights_of_both_runs(database):
    vote(database, "one", [0, 0, 1, None, None, None], weight=1.5)
    predict(database, i0=0.2, i1=0.2, i2=0.8)
    first = publish(database, task(), facts())
    assert first.changes["causes"].list.len().sum() == 0
    # i0: another vote; i1: still a vote, gone by its weight; i3: borrows at 0.5, i4 below 0.4.
    similarity = [None, None, None, 0.5, 0.3, None]
    vote(database, "one", [1, 0, 1, 1, 1, None], weight=2.0, similarity=similarity)
    vote(database, "one", [1, 0, 1, 1, 1, None], weight=2.0, similarity=similarity)
    predict(database, i0=0.9, i1=None, i2=0.8, i3=0.7)
    changes = publish(database, task(), facts()).changes
    found = {
        item: causes[0]["contribution"] if causes else None
        for item, causes in changes.select("item_id", "causes").iter_rows()
    }
    assert found["i0"] == pytest.approx(2.0 + 1.5)
    assert found["i1"] == pytest.approx(-2.0 + 1.5)
    assert found["i3"] == pytest.approx(1.0)
    assert set(found) == {"i0", "i1", "i3"}
    for table in ("superseded", "superseded_votes"):
        assert database.query(f"SELECT * FROM {table}").height == 0
    assert database.query("SELECT DISTINCT run_id FROM label_run_evidence").height == 1


def test_a_label_that_goes_with_its_labeling_function_is_due_to_it(database):
    vote(database, "one", [1] * 6, names=["one", "two"])
    vote(database, "two", [1, None, None, None, None, None], names=["one", "two"])
    predict(database, i0=0.9, i1=0.8)
    publish(database, task(), facts(one="v1", two="v1"))
    with database.write() as connection:
        keep_only(connection, ["two"])
        silence = np.zeros((1, 2))
        put_evidence(connection, ["two"], np.eye(2)[None], silence, np.ones(1), GRID, CURVE[None])
    predict(database, i0=0.8, i1=None)
    changes = publish(database, task(), facts(two="v1")).changes
    assert changes["item_id"].to_list() == ["i1"]
    assert changes["causes"][0].to_list() == [{"lf": "one", "contribution": 1.0}]
    difference = what_changed(*label_runs(database))
    assert ("labeling function one", "v1", None) in difference.rows()


def test_other_classes_have_no_causes(database):
    vote(database, "one", [0] * 6)
    predict(database, ["nein", "yes"], i0=0.2, i1=0.8)
    publish(database, task(classes=["nein", "yes"]), facts())
    vote(database, "one", [1] * 6)
    predict(database, i0=0.2, i1=0.8)
    found = publish(database, task(), facts())
    assert found.changes.select("label_before", "label_after").rows() == [("nein", "no")]
    assert found.changes["causes"].to_list() == [[]]
    assert found.run["share_flipped"] == 0.5
    difference = what_changed(*label_runs(database)).rows()
    assert ("setting classes", '["nein", "yes"]', '["no", "yes"]') in difference


def test_too_many_flips_are_refused_until_accepted(database):
    careful = task(label_changes={"most_flipped": 0.4, "block": True})
    predict(database, i0=0.9, i1=0.9, i2=0.9, i3=0.9)
    assert publish(database, careful, facts()).run["accepted"]
    predict(database, i0=0.1, i1=0.1, i2=0.9, i3=None, i4=0.9)
    refused = publish(database, careful, facts()).run
    assert refused["share_flipped"] == pytest.approx(2 / 3)
    assert not refused["accepted"]
    again = publish(database, careful, facts()).run
    assert (again["n_flipped"], again["accepted"]) == (0, False)
    assert again["compared_with"] == label_runs(database)[0].run_id
    accept(database, again["run_id"])
    after = publish(database, careful, facts()).run
    assert (after["share_flipped"], after["accepted"]) == (0, True)
    predict(database, i0=0.9, i1=0.9, i2=0.9)
    assert publish(database, task(label_changes={"most_flipped": 0.4}), facts()).run["accepted"]


def test_taking_an_edit_back_is_accepted(database):
    careful = task(label_changes={"most_flipped": 0.4, "block": True})
    predict(database, i0=0.9, i1=0.9)
    publish(database, careful, facts())
    predict(database, i0=0.1, i1=0.1)
    assert not publish(database, careful, facts()).run["accepted"]
    predict(database, i0=0.9, i1=0.9)
    back = publish(database, careful, facts()).run
    assert (back["n_flipped"], back["share_flipped"], back["accepted"]) == (2, 0, True)


def test_a_run_is_found_by_its_beginning(database):
    for yes in (0.9, 0.1):
        predict(database, i0=yes)
        publish(database, task(), facts())
    runs = label_runs(database)
    assert find_run(runs, runs[0].run_id) == runs[0]
    with pytest.raises(EpoxyError, match=f"no label runs begin with 'x'(.|\n)*{runs[1].run_id}"):
        find_run(runs, "x")
    with pytest.raises(EpoxyError, match="2 label runs begin with"):
        find_run(runs, runs[0].run_id[:4])


def test_texts_are_excerpts_and_gone_items_have_none(database):
    shown = with_texts(database, pl.DataFrame({"item_id": ["i5", "gone", "i0"]}))
    assert shown.rows() == [("i5", "a b"), ("gone", None), ("i0", "a b")]


def test_a_thinned_curve_is_the_same_curve_where_it_counts(database):
    rng = np.random.default_rng(1)
    grid = np.linspace(-1, 1, 1025)
    curves = np.maximum.accumulate(np.round(rng.normal(size=(20, 1025)).cumsum(axis=1)), axis=1)
    thresholds = np.array([-1, 1, *rng.uniform(-1, 1, 18)])
    names = [f"lf{i:02d}" for i in range(20)]
    with database.write() as connection:
        none = np.zeros((20, 2, 2)), np.zeros((20, 2))
        put_evidence(connection, names, *none, thresholds, grid, curves)
    stored = database.query("SELECT * FROM evidence ORDER BY lf")
    for threshold, curve, row in zip(thresholds, curves, stored.iter_rows(named=True), strict=True):
        at = rng.uniform(threshold, 1, 500)
        found = np.interp(at, row["grid"], row["log_odds"])
        np.testing.assert_array_equal(found, np.interp(at, grid, curve))
        assert len(row["grid"]) < 150
