"""Whoever reads the tables while labels are made again sees the old ones or the new ones."""

import multiprocessing
import time
from contextlib import ExitStack

import duckdb
import pytest
from support import bring_up_to_date, edit

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.database import Database
from epoxy_core.storage.label_runs import LABELS_OF
from pipelines.instance import open_instance
from pipelines.watch import Watch

AS_OF = LABELS_OF.replace("?", "(SELECT max_by(run_id, created_at) FROM label_runs)")

SEEN = f"""
    SELECT r.run_id, r.n_labeled, (SELECT count(*) FROM labels) AS labels,
           (SELECT count(*) FROM labels l FULL JOIN ({AS_OF}) h ON l.item_id = h.item_id
            WHERE l.label IS DISTINCT FROM h.label
               OR l.probabilities IS DISTINCT FROM h.probabilities) AS others,
           (SELECT count(*) FROM labels WHERE run_id NOT IN (SELECT run_id FROM label_runs)),
           (SELECT count(*) FROM label_history WHERE run_id = r.run_id) AS history, r.n_changed,
           (SELECT count(*) FROM label_changes WHERE run_id = r.run_id) AS changes,
           (SELECT count(*) FROM superseded) AS superseded
    FROM label_runs r ORDER BY created_at DESC LIMIT 1
"""
"""The last run, its labels, and how many of them are not those of its history."""


def _read(path, stop, seen):
    while not stop.is_set():
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                seen.append(connection.execute(SEEN).fetchall()[0])
        except duckdb.IOException:
            pass  # being written at this moment
        time.sleep(0.01)


def _relabelled(folder, home):
    def again():
        assert not bring_up_to_date(folder, home).failures

    return again


def _watched(folder, home, stack):
    watch = Watch(stack.enter_context(open_instance(home)), folder, home)

    def again():
        view = watch.refresh()
        assert view.committed is not None
        time.sleep(0.5)

    return again


@pytest.mark.parametrize("how", ["relabelled", "watched"])
def test_a_reader_never_sees_half_a_run(finished, how, monkeypatch):
    folder, home = finished
    monkeypatch.setattr("pipelines.live_tables.PATIENCE", 30)
    path = home.database("messages")
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ExitStack() as stack:
        again = _watched(folder, home, stack) if how == "watched" else _relabelled(folder, home)
        stop, seen = context.Event(), manager.list()
        reader = context.Process(target=_read, args=(path, stop, seen))
        reader.start()
        deadline = time.monotonic() + 60
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
        for old, new in ((4, 7), (7, 4), (4, 7)):
            edit(folder / "helpers.py", f"> {old}", f"> {new}")
            again()
        stop.set()
        reader.join(30)
        rows = list(seen)
    assert len({row[0] for row in rows}) > 1  # it did see several runs
    for _, n_labeled, labels, others, strangers, history, n_changed, changes, superseded in rows:
        assert (n_labeled, n_changed) == (labels, changes)
        assert (others, strangers) == (0, 0)
        assert history >= n_changed
        assert superseded == 0 or how == "relabelled"


def test_a_snapshot_may_stay_open(finished, tmp_path):
    folder, home = finished
    database = Database(home.database("messages"), patience=0.5)
    database.snapshot(tmp_path / "copy.duckdb")
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as copy:
        before = copy.execute("SELECT * FROM labels ORDER BY item_id").fetchall()
        edit(folder / "helpers.py", "> 4", "> 7")
        assert not bring_up_to_date(folder, home).failures
        assert copy.execute("SELECT * FROM labels ORDER BY item_id").fetchall() == before
    assert database.query("SELECT * FROM labels ORDER BY item_id").rows() != before
    database.snapshot(tmp_path / "copy.duckdb")
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as copy:
        comments = copy.execute("SELECT count(*) FROM duckdb_tables() WHERE comment IS NULL")
        assert comments.fetchall() == [(0,)]


def test_a_snapshot_that_cannot_be_written_leaves_the_old_one(finished, tmp_path):
    _, home = finished
    database = Database(home.database("messages"))
    with pytest.raises(EpoxyError, match="cannot be written"):
        database.snapshot(tmp_path / "no such folder" / "copy.duckdb")
