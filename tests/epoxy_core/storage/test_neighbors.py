import os
import subprocess
import sys

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors import NeighborGraph, Scope
from epoxy_core.storage.neighbors import NeighborStore

IDS = ["a", "b", "c"]
HASHES = ["1", "2", "3"]


def graph(n, k, seed=0):
    random = np.random.default_rng(seed)
    similarity = np.sort(random.random((n, k), dtype=np.float32), axis=1)[:, ::-1].copy()
    indices = random.integers(0, max(n, 1), (n, k)).astype(np.int32)
    return NeighborGraph(indices, similarity)


def assert_same(read, written):
    np.testing.assert_array_equal(read.indices, written.indices)
    np.testing.assert_array_equal(read.similarity, written.similarity)
    assert (read.indices.dtype, read.similarity.dtype) == (np.int32, np.float32)
    assert (read.recall, read.engine) == (written.recall, written.engine)


@pytest.fixture
def store(tmp_path):
    return NeighborStore(tmp_path / "task" / "neighbors.arrow")


@pytest.mark.parametrize(("n", "k"), [(3, 2), (1, 0), (0, 0), (5000, 32)])
def test_round_trip(n, k, store):
    ids = [f"item {i}" for i in range(n)]
    written = graph(n, k)
    store.write(ids, pl.Series(ids, dtype=pl.String), written)
    assert_same(store.read(ids), written)
    assert_same(store.read(pl.Series("other name", ids, dtype=pl.String)), written)


def test_what_is_told_of_a_graph_comes_back(store):
    scope = Scope(np.zeros(3, np.int64))
    written = NeighborGraph(graph(3, 2).indices, graph(3, 2).similarity, scope, 0.97, "cells")
    store.write(IDS, HASHES, written, "encoder")
    assert_same(store.read(IDS), written)
    assert store.read(IDS).scope is None
    assert store.read(IDS, scope).scope is scope
    assert store.latest() is None
    latest = store.latest(made_with="encoder")
    assert_same(latest.graph, written)
    assert latest.item_ids.to_list() == IDS
    assert latest.content_hashes.to_list() == HASHES
    rows = latest.rows_of(pl.Series(["c", "x", "a", "b"]), pl.Series(["3", "2", "1", "9"]))
    assert rows.tolist() == [2, -1, 0, -1]


def test_items_with_fewer_neighbours_come_back_as_they_were(store):
    written = graph(400, 6)
    nobody = np.arange(6) >= np.random.default_rng(1).integers(0, 7, 400)[:, None]
    written.indices[nobody], written.similarity[nobody] = -1, -np.inf
    ids = [f"item {i}" for i in range(400)]
    store.write(ids, ids, written)
    assert_same(store.read(ids), written)


def test_the_file_is_read_by_arrow_and_not_written_by_readers(store):
    written = graph(3, 2)
    store.write(IDS, HASHES, written)
    first = store.read(IDS)
    first.indices[:] = 0
    assert_same(store.read(IDS), written)
    table = pa.ipc.open_file(store.path).read_all()
    assert table["neighbors"].to_pylist() == written.indices.tolist()
    assert table["item_id"].to_pylist() == IDS


def test_writing_replaces_everything_and_leaves_readers_what_they_have(store):
    store.write(IDS, HASHES, graph(3, 2))
    held = store.read(IDS)
    store.write([*IDS, "d"], [*HASHES, "4"], graph(4, 3, seed=1))
    assert_same(held, graph(3, 2))
    assert_same(store.read([*IDS, "d"]), graph(4, 3, seed=1))
    assert os.listdir(store.path.parent) == [store.path.name]


def test_a_killed_writer_leaves_the_old_graph(store):
    store.write(IDS, HASHES, graph(3, 2))
    program = f"""
import os, numpy as np, pyarrow as pa
from pathlib import Path
from epoxy_core.neighbors import NeighborGraph
from epoxy_core.storage.neighbors import NeighborStore
os.replace = lambda *paths: os._exit(9)
one = NeighborGraph(np.zeros((3, 1), np.int32), np.zeros((3, 1), np.float32))
NeighborStore(Path({str(store.path)!r})).write(["x", "y", "z"], ["x", "y", "z"], one)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert_same(store.read(IDS), graph(3, 2))
    store.write(IDS, HASHES, graph(3, 1))
    assert_same(store.read(IDS), graph(3, 1))
    assert os.listdir(store.path.parent) == [store.path.name]


@pytest.mark.parametrize("others", [["b", "a", "c"], ["a", "b"], ["ab", "", "c"], ["a", "b", "d"]])
def test_a_graph_of_other_items_is_refused(others, store):
    store.write(IDS, HASHES, graph(3, 2))
    with pytest.raises(EpoxyError, match=r"(?s)other items.*epoxy run TASK"):
        store.read(others)


def test_no_graph_yet(store):
    with pytest.raises(EpoxyError, match="no neighbour graph yet"):
        store.read(IDS)
    assert store.latest() is None


def test_shapes_that_do_not_fit(store):
    indices, similarity = graph(3, 2).indices, graph(3, 2).similarity
    for bad in (
        (indices, similarity[:, :1]),
        (indices[:2], similarity[:2]),
        (indices[0], similarity[0]),
    ):
        with pytest.raises(EpoxyError, match="for 3 items"):
            store.write(IDS, HASHES, NeighborGraph(*bad))
    with pytest.raises(EpoxyError, match="for 3 items"):
        store.write(IDS, HASHES[:2], graph(3, 2))
    with pytest.raises(EpoxyError, match="no neighbour graph yet"):
        store.read(IDS)


def test_damaged_files(store):
    ids = [f"item {i}" for i in range(500)]
    store.write(ids, ids, graph(500, 8))
    whole = store.path.read_bytes()
    half = len(whole) // 2
    for damaged in (b"", b"junk", whole[:half], whole[: len(whole) - 9], whole[half:]):
        store.path.write_bytes(damaged)
        with pytest.raises(EpoxyError, match=r"(?s)cannot be read.*epoxy run TASK"):
            store.read(ids)
    rows = graph(500, 8).indices.tobytes()
    store.path.write_bytes(whole.replace(rows, b"\x7f" * len(rows)))
    assert store.latest() is None
    with pytest.raises(EpoxyError, match="no rows"):
        store.read(ids)
