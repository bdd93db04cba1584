"""Transactions, locks and joins by id on a real DuckDB file."""

import multiprocessing
import os
import signal
import time

import duckdb
import numpy as np
import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.schema import TABLES


def items(*ids):
    return pl.DataFrame(
        {
            "item_id": list(ids),
            "split": ["unlabeled"] * len(ids),
            "text": [f"text of {i}" for i in ids],
            "content_hash": [f"hash of {i}" for i in ids],
            "stars": list(range(len(ids))),
        }
    )


def votes(lf, **by_item):
    return pl.DataFrame(
        {
            "item_id": list(by_item),
            "lf": [lf] * len(by_item),
            "vote": list(by_item.values()),
            "probability": [1.0] * len(by_item),
        }
    )


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "labels.duckdb", patience=0.3)


def test_every_table_and_column_is_documented(database):
    database.replace("items", items("a"))
    described = database.query("SELECT table_name, column_name, comment FROM duckdb_columns()")
    ours = {(table.name, column.name) for table in TABLES for column in table.columns}
    commented = set(described.drop_nulls().select("table_name", "column_name").iter_rows())
    assert ours == commented
    assert database.query("SELECT count(*) FROM duckdb_tables() WHERE comment IS NULL")[0, 0] == 0


def test_replace_touches_only_the_rows_asked_for(database):
    database.replace("lf_votes", votes("one", a=1, b=0), "lf = ?", "one")
    database.replace("lf_votes", votes("two", a=0), "lf = ?", "two")
    database.replace("lf_votes", votes("one", c=1), "lf = ?", "one")
    rows = database.query("SELECT lf, item_id, vote FROM lf_votes ORDER BY ALL")
    assert rows.rows() == [("one", "c", 1), ("two", "a", 0)]


def test_items_keep_the_columns_of_the_source(database):
    database.replace("items", items("b", "a"))
    assert database.item_ids().to_list() == ["a", "b"]
    assert database.query("SELECT stars FROM items ORDER BY item_id")["stars"].to_list() == [1, 0]


def test_gold_labels_come_in_item_order(database):
    database.replace("items", items("b", "a", "c"))
    gold = pl.DataFrame({"item_id": ["c", "a"], "label": [1, 0]})
    database.replace("dev_labels", gold)
    np.testing.assert_array_equal(database.labels_by_row("dev"), [0, -1, 1])
    np.testing.assert_array_equal(database.labels_by_row("test"), [-1, -1, -1])


def _put_and_fail(connection):
    put(connection, "lf_votes", votes("one", b=0))
    raise EpoxyError("half way")


def test_an_error_inside_a_write_leaves_everything_as_it_was(database):
    database.replace("lf_votes", votes("one", a=1))
    with pytest.raises(EpoxyError), database.write() as connection:
        _put_and_fail(connection)
    assert database.query("SELECT item_id FROM lf_votes")["item_id"].to_list() == ["a"]


def _write_slowly(path, started):
    with Database(path).write() as connection:
        put(connection, "lf_votes", votes("one", **{f"x{i}": 0 for i in range(20_000)}))
        started.set()
        time.sleep(60)


def test_kill_in_the_middle_of_a_write_leaves_the_old_rows(database):
    database.replace("lf_votes", votes("one", a=1))
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    writer = context.Process(target=_write_slowly, args=(database.path, started))
    writer.start()
    assert started.wait(60)
    with pytest.raises(EpoxyError, match="locked by another process"):
        database.query("SELECT 1")
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert database.query("SELECT item_id FROM lf_votes")["item_id"].to_list() == ["a"]
    database.replace("lf_votes", votes("one", b=1))
    assert database.query("SELECT item_id FROM lf_votes")["item_id"].to_list() == ["b"]


def test_nothing_written_yet_and_not_a_database(database):
    with pytest.raises(EpoxyError, match="epoxy run"):
        database.query("SELECT 1")
    database.path.write_bytes(b"this is not a DuckDB file at all" * 1000)
    with pytest.raises(EpoxyError, match="cannot be opened"):
        database.query("SELECT 1")


def test_a_file_of_another_version_is_refused(database):
    with duckdb.connect(str(database.path)) as other:
        other.execute("CREATE TABLE labels (item_id VARCHAR)")
    with pytest.raises(EpoxyError, match=r"no labels\.label\b.*\n.*Remove it"):
        database.replace("items", items("a"))


def test_the_file_is_free_between_calls(database):
    database.replace("items", items("a"))
    with duckdb.connect(str(database.path)) as other:
        assert other.sql("SELECT count(*) FROM items").fetchall() == [(1,)]
