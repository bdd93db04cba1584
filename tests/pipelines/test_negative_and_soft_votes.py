"""Votes against a class and votes with a probability, from the user's file to the labels."""

import itertools
import shutil

import numpy as np
import polars as pl
import pytest
from support import bring_up_to_date, edit, epoxy

from assets.store import Store
from epoxy_core.home import Home
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.session import open_session
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task

TASK = """\
name: notes
source: {paths: notes.csv, id: id}
classes: [ham, spam, news]
labels: {column: label, dev: 0.5, test: 0.2}
extension: {neighbors: 8}
labeling_functions:
  heuristics:
    - {name: calls, type: keywords, words: [call, reply], vote: {not: ham}, probability: 0.9}
    - {name: today, type: regex, pattern: today, vote: news, probability: 0.8}
"""

HEURISTICS = """\
import polars as pl

from epoxy_core.labeling import Not, Soft, expression_labeling_function, labeling_function


@labeling_function
def sells(x):
    if "free" in x.text:
        return Soft("spam", 0.75)
    return {"ham": 0.6, "news": 0.4} if x.text.endswith("?") else None


@labeling_function
def talks(x):
    return "ham" if x.text.startswith(("are", "see")) else Not("ham")


@expression_labeling_function(vote=Not("spam"))
def minister():
    return pl.col("text").str.contains("minister")


@expression_labeling_function
def by_length():
    size = pl.col("text").str.len_chars()
    sure = (size / 60).clip(0.4, 1)
    return pl.when(size > 30).then(pl.struct(vote=pl.lit("news"), probability=sure))
"""

TEXTS = {
    "spam": ["{} a free prize, call {}", "exclusive free {}, reply {}"],
    "ham": ["are we at {} by {}?", "see you {} in room {}"],
    "news": ["the minister of {} resigned today, {}", "talks on {} fail again, say {} people"],
}
WORDS = ["claim", "tonight", "tickets", "dinner", "holiday", "cash", "garden", "monday"]


def write_task(folder):
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    rows = [
        (f"{label}{i}", template.format(word, 100 + 7 * i), label)
        for label, templates in TEXTS.items()
        for i, (template, word) in enumerate(itertools.product(templates, WORDS))
    ]
    frame = pl.DataFrame(rows, schema=["id", "text", "label"], orient="row")
    frame.write_csv(folder / "notes.csv")


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """The task's folder and an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path / "home"))
    write_task(tmp_path / "notes")
    return tmp_path / "notes", Home(tmp_path / "home")


@pytest.fixture(scope="module")
def _labelled(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled")
    write_task(root / "notes")
    done = bring_up_to_date(root / "notes", Home(root / "home"))
    assert not done.failures, done.failures
    return root


@pytest.fixture
def labelled(_labelled, tmp_path, monkeypatch):
    """A copy of the task's folder that was just run, and of its home."""
    for name in ("notes", "home"):
        shutil.copytree(_labelled / name, tmp_path / name)
    (tmp_path / "home" / "dagster" / "dagster.yaml").unlink()  # it names the original's storage
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path / "home"))
    return tmp_path / "notes", Home(tmp_path / "home")


def test_from_the_heuristics_to_the_labels(labelled, capsys):
    folder, home = labelled
    code, printed = epoxy(capsys, "check", "notes")
    assert code == 0, printed
    assert "ham, not ham" in printed
    database = Database(home.database("notes"))

    own = {
        (lf, vote): round(claim, 4)
        for lf, vote, claim in database.query(
            "SELECT DISTINCT lf, vote, probability FROM lf_votes WHERE lf <> 'by_length'"
        ).iter_rows()
    }
    assert own == {
        ("sells", 1): 0.75,
        ("sells", 0): 0.6,
        ("talks", 0): 1,
        ("talks", 3): 1,
        ("minister", 4): 1,
        ("calls", 3): 0.9,
        ("today", 2): 0.8,
    }
    by_length = database.query(
        "SELECT v.probability, least(greatest(len(text) / 60, 0.4), 1) AS sure"
        " FROM lf_votes v JOIN items USING (item_id) WHERE lf = 'by_length'"
    )
    assert by_length.height > 5
    np.testing.assert_allclose(by_length["probability"], by_length["sure"], rtol=1e-6)

    strangers = database.query(
        "SELECT e.lf FROM extended_votes e LEFT JOIN lf_votes v ON v.lf = e.lf"
        " AND v.item_id = e.source_item_id"
        " WHERE e.vote IS DISTINCT FROM v.vote OR e.probability IS DISTINCT FROM v.probability"
    )
    assert strangers.is_empty()
    borrowed = "SELECT count(*) FROM extended_votes WHERE source_item_id <> item_id"
    assert database.query(borrowed)[0, 0] > 0

    table = {row["lf"]: row for row in database.query("SELECT * FROM lf_summary").to_dicts()}
    assert table["talks"]["polarity"] == ["ham", "not ham"]
    assert table["minister"]["polarity"] == ["not spam"]
    assert table["talks"]["dev_accuracy"] == 1
    assert table["minister"]["conflicts"] == 0
    labels = database.query(
        "SELECT l.label, g.label AS gold FROM labels l JOIN dev_labels g USING (item_id)"
    )
    names = np.array(load_task(folder).classes)
    assert (names[labels["gold"].to_numpy()] == labels["label"].to_numpy()).mean() > 0.9
    code, printed = epoxy(capsys, "report", "notes")
    assert code == 0
    assert "ham, not ham" in printed


def test_an_edited_probability_runs_on_and_is_a_cause(labelled):
    folder, home = labelled
    store, task = Store(home=str(home.root)), load_task(folder)
    database = store.database(task)
    session = open_session(
        task,
        load_labeling_functions(task),
        database,
        store.embeddings(task),
        store.neighbors(task),
    )
    opened = session.update(task, load_labeling_functions(task))
    assert opened.voted == ()
    np.testing.assert_allclose(opened.combined.extended, published(database), atol=1e-9)
    before = log_odds(database)

    sure = 'Soft("spam", 0.95) if "prize" in x.text else Soft("news", 0.9)'
    edit(folder / "labeling_functions.py", 'Soft("spam", 0.75)', sure)
    edit(folder / "labeling_functions.py", 'Not("spam")', 'Not("ham")')
    edited = session.update(task, load_labeling_functions(task))
    assert set(edited.changed) == {"sells", "minister"}
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    assert {"lf/sells", "extended/sells"} <= {"/".join(key.path[1:]) for key in done.ran}
    np.testing.assert_allclose(edited.combined.extended, published(database), atol=1e-9)

    after, changes = log_odds(database), database.query("SELECT * FROM label_changes")
    run = database.query("SELECT run_id FROM label_runs ORDER BY created_at")["run_id"][-1]
    flips = changes.filter(run_id=run).drop_nulls(["label_before", "label_after"])
    assert flips.height > 0
    for row in flips.iter_rows(named=True):
        new, old = (task.classes.index(row[name]) for name in ("label_after", "label_before"))
        moved = sum(cause["contribution"] for cause in row["causes"])
        scores = after[row["item_id"]] - before[row["item_id"]]
        assert moved == pytest.approx(scores[new] - scores[old], abs=1e-4)


def published(database):
    rows = database.query(
        "SELECT probabilities FROM predictions WHERE stage = 'extended_votes' ORDER BY item_id"
    )
    return np.array(rows["probabilities"].to_list())


def log_odds(database):
    ids = database.item_ids().to_list()
    return dict(zip(ids, np.log(np.maximum(published(database), 1e-300)), strict=True))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('Soft("spam", 0.1)', ["below that of a guess, 0.3333", "Soft(Not('spam'), 0.9)"]),
        ('Not("spma")', ["returned Not('spma') (Not)", "Not(class)"]),
        ('{"ham": 0.6, "news": 0.6}', ["the probabilities sum to 1.2, not to 1"]),
    ],
)
def test_a_wrong_value_says_what_is_wrong(notes, capsys, value, words):
    edit(notes[0] / "labeling_functions.py", 'else Not("ham")', f"else {value}")
    code, printed = epoxy(capsys, "check", "notes")
    assert code == 1
    assert "talks fails on 32 of 48 items" in printed
    assert all(word in printed for word in words), printed


def test_a_wrong_value_fails_the_step_and_the_other_votes_stay(labelled):
    folder, home = labelled
    edit(folder / "labeling_functions.py", 'else Not("ham")', 'else Soft(Not("ham"), 0.5)')
    (failure,) = bring_up_to_date(folder, home).failures
    assert "talks fails on 32 of 48 items, first on " in failure
    assert "not 'ham' is below that of a guess, 0.6667" in failure
    votes = Database(home.database("notes")).query("SELECT vote FROM lf_votes WHERE lf = 'talks'")
    assert set(votes["vote"]) == {0, 3}


def test_settings_that_are_wrong_are_named(notes, capsys):
    folder, _ = notes
    edit(folder / "task.yaml", "vote: news, probability: 0.8", "vote: {not: nws}")
    code, printed = epoxy(capsys, "check", "notes")
    assert code == 1
    assert "task.yaml:9: 'today' votes Not('nws'), which is not a class" in printed
    edit(folder / "task.yaml", "vote: {not: nws}", "vote: {not: news}, probability: 0.5")
    code, printed = epoxy(capsys, "check", "notes")
    assert code == 1
    assert "the probability 0.5 of not 'news' is below that of a guess, 0.6667" in printed
