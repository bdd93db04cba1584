"""Whoever reads the tables while labels are made again sees the old ones or the new ones."""

import multiprocessing
import time

import duckdb
import pytest
from support import bring_up_to_date, edit

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.database import Database

SEEN = """
    SELECT r.run_id, r.n_labeled, (SELECT count(*) FROM labels) AS labels,
           (SELECT count(DISTINCT run_id) FROM labels) AS runs,
           (SELECT any_value(run_id) FROM labels) AS run_of_labels,
           (SELECT count(*) FROM label_history WHERE run_id = r.run_id) AS history, r.n_changed
    FROM label_runs r ORDER BY created_at DESC LIMIT 1
"""


def _read(path, stop, seen):
    while not stop.is_set():
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                seen.append(connection.execute(SEEN).fetchall()[0])
        except duckdb.IOException:
            pass  # being written at this moment
        time.sleep(0.002)


def test_a_reader_never_sees_half_a_run(finished):
    folder, home = finished
    path = home.database("messages")
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        stop, seen = context.Event(), manager.list()
        reader = context.Process(target=_read, args=(path, stop, seen))
        reader.start()
        for old, new in ((4, 7), (7, 4), (4, 7)):
            edit(folder / "helpers.py", f"> {old}", f"> {new}")
            assert not bring_up_to_date(folder, home).failures
        stop.set()
        reader.join(30)
        rows = list(seen)
    assert len({row[0] for row in rows}) > 1  # it did see several runs
    for run, n_labeled, labels, runs, run_of_labels, history, n_changed in rows:
        assert (n_labeled, 1, run) == (labels, runs, run_of_labels)
        assert history >= n_changed


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
