"""Turns of conversations: what was said before and after says what a turn is about."""

import numpy as np
import polars as pl
import pytest
from support import bring_up_to_date, edit, epoxy, ran

from assets.store import Store
from epoxy_core.home import Home
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.session import open_session
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task

TASK = """\
name: calls
source: {paths: calls.csv, id: id}
classes: [bill, parcel]
labels: {column: label, dev: 0.3, test: 0.4}
extension: {neighbors: 8, threshold: 0.99}
label_model: {method: dawid_skene, sequence: {by: call, order: turn}}
"""

HEURISTICS = """\
from epoxy_core.labeling import labeling_function


def first(text, words):
    return next((vote for word, vote in words.items() if word in text), None)


@labeling_function
def things(x):
    return first(x.text, {"charged": "bill", "invoice": "bill", "courier": "parcel"})


@labeling_function
def units(x):
    return first(x.text, {"euro": "bill", "day": "parcel"})


@labeling_function
def wishes(x):
    return first(x.text, {"I want": "bill", "it is": "parcel", "number": "parcel"})
"""

SAID = {
    "bill": [
        "you charged me {} euro twice",
        "invoice number {} is wrong",
        "I want my refund of {} euro",
        "I was told so {} days ago",
    ],
    "parcel": [
        "where is it, it is {} days late",
        "the courier came at {} and left",
        "tracking number {} says nothing",
        "I paid {} euro for this",
    ],
}
SMALL_TALK = ["yes, {}", "okay, one moment, {}", "could you say that again, {}?"]


def write_task(folder):
    draw = np.random.default_rng(5)
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    rows = []
    for call in range(16):
        topics = draw.permutation(["bill", "parcel"])
        for turn in range(24):
            label = str(topics[turn // 12])
            said = SMALL_TALK if draw.random() < 0.4 else SAID[label]
            text = str(draw.choice(said)).format(100 * call + turn)
            rows.append((f"{draw.integers(1 << 40):010x}", f"call {call}", turn, text, label))
    columns = ["id", "call", "turn", "text", "label"]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "calls.csv")


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """The task's folder and an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path / "home"))
    write_task(tmp_path / "calls")
    return tmp_path / "calls", Home(tmp_path / "home")


def accuracy(database, stage, votes):
    """On items with and on items without own votes."""
    return database.query(
        "SELECT avg((c.name = p.label)::INT) FROM predictions p"
        " JOIN test_labels g USING (item_id) JOIN classes c ON c.class = g.label"
        f" WHERE p.stage = ? AND p.item_id {votes} (SELECT item_id FROM lf_votes)",
        [stage],
    )[0, 0]


def test_turns_take_their_label_from_the_conversation(calls, capsys):
    folder, home = calls
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    database = Database(home.database("calls"))
    assert accuracy(database, "label_model", "IN") > accuracy(database, "majority_vote", "IN")
    assert accuracy(database, "label_model", "NOT IN") > 0.75
    kinds = dict(database.query("SELECT votes, count(*) FROM labels GROUP BY votes").iter_rows())
    assert kinds["sequence"] > 50
    assert sum(kinds.values()) == 16 * 24

    (choice,) = database.query("SELECT * FROM choices WHERE stage = 'order' AND chosen").to_dicts()
    assert choice["candidate"] == "chain"
    # The dev turns are many, but of 32 stretches of a call: too few to choose by.
    assert "votes left out" in choice["measure"]
    assert choice["warning"] is None
    code, printed = epoxy(capsys, "report", "calls")
    assert code == 0
    assert "ECE" in printed

    store, task = Store(home=str(home.root)), load_task(folder)
    lfs = load_labeling_functions(task)
    session = open_session(task, lfs, database, store.embeddings(task), store.neighbors(task))
    opened = session.update(task, lfs)
    rows = database.query(
        "SELECT probabilities FROM predictions WHERE stage = 'extended_votes' ORDER BY item_id"
    )
    published = np.array(rows["probabilities"].to_list())
    np.testing.assert_allclose(opened.combined.extended, published, atol=1e-9)

    table = database.query("SELECT * FROM lf_summary")
    held = table.filter(pl.col("estimated_accuracy").is_between("accuracy_low", "accuracy_high"))
    assert held.height == 3
    assert opened.table.select(held.columns).equals(table)


BORROWED = """
    SELECT (i.call = s.call) AS same, count(*) AS n FROM extended_votes v
    JOIN items i USING (item_id) JOIN items s ON s.item_id = v.source_item_id
    WHERE v.item_id != v.source_item_id GROUP BY same
"""


def borrowed(database):
    """How many votes were borrowed within a call (True) and from another (False)."""
    return dict(database.query(BORROWED).iter_rows())


def test_votes_are_borrowed_within_calls_or_across_them(calls):
    folder, home = calls
    edit(folder / "task.yaml", "threshold: 0.99", "threshold: 0.3")
    edit(folder / "task.yaml", "classes:", "end_model: null\nclasses:")
    assert not bring_up_to_date(folder, home).failures
    database = Database(home.database("calls"))
    anyones = borrowed(database)
    assert min(anyones[True], anyones[False]) > 50

    edit(folder / "task.yaml", "threshold: 0.3", "threshold: 0.3, borrow_from: same_sequence")
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    lfs = ("things", "units", "wishes")
    assert {"neighbors", *(f"extended/{lf}" for lf in lfs)} <= ran(done)
    assert not {"embeddings", *(f"lf/{lf}" for lf in lfs)} & ran(done)
    within = borrowed(database)
    assert within.keys() == {True}
    assert within[True] > anyones[True]
    store, task = Store(home=str(home.root)), load_task(folder)
    ids = database.item_ids().to_list()
    assert store.neighbors(task).read(ids).indices.shape == (16 * 24, 8)

    edit(folder / "task.yaml", "same_sequence", "other_sequences")
    assert not bring_up_to_date(folder, home).failures
    assert borrowed(database).keys() == {False}
    assert ran(bring_up_to_date(folder, home)) == set()

    # The texts stay, but half of the calls were one and the same.
    calls_csv = pl.read_csv(folder / "calls.csv")
    number = pl.col("call").str.slice(5).cast(pl.Int64)
    one = pl.when(number < 8).then(pl.lit("call 0")).otherwise("call")
    calls_csv.with_columns(call=one).write_csv(folder / "calls.csv")
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    assert "neighbors" in ran(done)
    assert borrowed(database).keys() == {False}
