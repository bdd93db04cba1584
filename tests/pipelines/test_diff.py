"""``epoxy diff`` and ``epoxy labels`` on a real pipeline: several edits, every run read back."""

import io
from math import log

import polars as pl
from support import bring_up_to_date, edit, epoxy, ran

from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.storage.label_runs import changes_between, label_runs, labels_of
from epoxy_core.task import load_task

COLUMNS = "item_id, label, confidence, probabilities"


def table(database):
    return database.query(f"SELECT {COLUMNS} FROM labels ORDER BY item_id")


def opinions(database):
    """Probabilities in full, by item."""
    rows = database.query(
        "SELECT item_id, probabilities FROM predictions WHERE stage = 'extended_votes'"
    )
    return dict(rows.iter_rows())


def first_causes(database, run):
    return database.query(
        "SELECT DISTINCT causes[1].lf AS lf FROM label_changes WHERE run_id = ?", [run.run_id]
    )["lf"].to_list()


def test_edits_are_explained_and_every_run_reads_back(finished, capsys, monkeypatch, tmp_path):
    folder, home = finished
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    database = Database(home.database("messages"))
    code, printed = epoxy(capsys, "diff", folder)
    assert code == 2
    assert "no label run before it" in printed
    assert label_runs(database)[0].run_id in printed
    kept, before = [table(database)], opinions(database)

    edit(folder / "labeling_functions.py", '"spam" if looks', '"ham" if looks')
    assert not bring_up_to_date(folder, home).failures
    kept.append(table(database))
    runs = label_runs(database)
    flips = database.query(
        "SELECT * FROM label_changes WHERE run_id = ? AND label_before = 'spam'"
        " AND label_after = 'ham'",
        [runs[1].run_id],
    )
    assert flips.height > 20
    assert first_causes(database, runs[1]) == ["number"]
    assert flips["causes"].list.first().struct.field("contribution").min() > 0.5
    _sums_are_changes_of_the_log_odds(flips, before, opinions(database))

    code, printed = epoxy(capsys, "diff", folder, "--examples", 3)
    assert code == 0
    assert f"{flips.height} labels flipped" in printed
    assert f"spam ham {flips.height}" in printed
    assert "labeling function number" in printed
    assert f"number {runs[1].n_changed} {runs[1].n_changed} 0" in printed
    assert printed.count("→ ham") == 3

    edit(folder / "labeling_functions.py", '"ham" if looks', '"spam" if looks')
    edit(folder / "helpers.py", "LIMIT = 24", "LIMIT = 10")
    edit(folder / "task.yaml", "classes:", "label_model: {method: triplets}\nclasses:")
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert "lf/words" not in ran(done)
    kept.append(table(database))
    runs = label_runs(database)
    assert len(runs) == 3
    assert set(first_causes(database, runs[2])) == {"number", "short"}
    for run, rows in zip(runs, kept, strict=True):
        assert labels_of(database, run).equals(rows)
    both = changes_between(database, runs[0], runs[2])
    flipped = both.drop_nulls(["label_before", "label_after"])["item_id"]
    assert flipped.to_list() == _flipped(kept[0], kept[2])
    # The order in which two runs are named does not matter.
    code, printed = epoxy(capsys, "diff", folder, runs[2].run_id, runs[0].run_id)
    assert code == 0
    assert printed.index(runs[0].run_id) < printed.index(runs[2].run_id)
    assert "labeling function number" not in printed  # it is what it was in the first run
    for shown in ("labeling function short", "label_model.method auto triplets"):
        assert shown in printed
    _labels_are_printed_and_written(capsys, folder, tmp_path, runs, kept)
    code, printed = epoxy(capsys, "diff", folder, "nonsense")
    assert code == 2
    assert runs[-1].run_id in printed


def _sums_are_changes_of_the_log_odds(flips, before, after):
    for item, causes in flips.select("item_id", "causes").iter_rows():
        odds = [log(each[item][0] / each[item][1]) for each in (before, after)]
        assert abs(sum(c["contribution"] for c in causes) - (odds[1] - odds[0])) < 1e-5


def _flipped(before, after):
    joined = before.join(after, on="item_id").filter(pl.col("label") != pl.col("label_right"))
    return joined["item_id"].to_list()


def _labels_are_printed_and_written(capsys, folder, tmp_path, runs, kept):
    first = runs[0].run_id
    for name, read in (("a.parquet", pl.read_parquet), ("a.jsonl", pl.read_ndjson)):
        code, printed = epoxy(capsys, "labels", folder, "--run", first, "--output", tmp_path / name)
        assert code == 0, printed
        assert read(tmp_path / name).cast(kept[0].schema).equals(kept[0])
    code, _ = epoxy(capsys, "labels", folder, "--run", first, "--output", tmp_path / "a.csv")
    assert code == 0
    written = pl.read_csv(tmp_path / "a.csv")
    spam = written["P(spam)"].cast(pl.Float32)
    assert spam.to_list() == kept[0]["probabilities"].list.get(1).to_list()
    code, printed = epoxy(capsys, "labels", folder)
    shown = pl.read_csv(io.StringIO(printed.replace(" ", "\n")))
    assert shown["label"].to_list() == kept[-1]["label"].to_list()
    confidence = shown["confidence"].cast(pl.Float32)
    assert confidence.to_list() == kept[-1]["confidence"].to_list()
    code, printed = epoxy(capsys, "labels", folder, "--output", tmp_path / "a.xlsx")
    assert code == 2
    assert ".parquet, .jsonl, .csv" in printed


def test_too_many_flips_hold_the_training_set_back_until_accepted(finished, capsys, monkeypatch):
    folder, home = finished
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    database = Database(Home(home.root).database("messages"))
    edit(
        folder / "task.yaml",
        "classes:",
        "label_changes: {most_flipped: 0.1, block: true}\nclasses:",
    )
    before = database.query("SELECT * FROM training_set ORDER BY item_id")
    edit(folder / "labeling_functions.py", '"spam" if looks', '"ham" if looks')
    for _ in range(2):  # the second finds nothing flipped since the first, and is refused as well
        done = bring_up_to_date(folder, home)
        assert "labels" in ran(done)
        assert "training_set" not in ran(done)
        assert "epoxy diff messages --accept" in done.failures[0]
    assert database.query("SELECT * FROM training_set ORDER BY item_id").equals(before)
    assert not label_runs(database)[-1].accepted

    code, printed = epoxy(capsys, "diff", folder, "--accept")
    assert code == 0
    assert "is accepted" in printed
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert {"labels", "training_set"} <= ran(done)
    assert ran(bring_up_to_date(folder, home)) == set()
    assert load_task(folder).label_changes.block
