import numpy as np
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance_tables import connect
from epoxy_core.storage.neighbors import NeighborStore

IDS = ["a", "b", "c"]


def graph(n, k, seed=0):
    random = np.random.default_rng(seed)
    similarity = np.sort(random.random((n, k), dtype=np.float32), axis=1)[:, ::-1]
    return random.integers(0, n, (n, k)).astype(np.int32), similarity


@pytest.mark.parametrize(("n", "k"), [(3, 2), (1, 0), (0, 0), (5000, 32)])
def test_round_trip(n, k, tmp_path):
    ids = [f"item {i}" for i in range(n)]
    indices, similarity = (
        graph(n, k) if n else (np.empty((0, 0), np.int32), np.empty((0, 0), np.float32))
    )
    store = NeighborStore(tmp_path / "lance")
    store.write(ids, indices, similarity)
    read = store.read(ids)
    np.testing.assert_array_equal(read[0], indices)
    np.testing.assert_array_equal(read[1], similarity)
    assert (read[0].dtype, read[1].dtype) == (np.int32, np.float32)


def test_items_with_fewer_neighbours_come_back_as_they_were(tmp_path):
    indices, similarity = graph(400, 6)
    length = np.random.default_rng(1).integers(0, 7, 400)
    nobody = np.arange(6) >= length[:, None]
    indices[nobody], similarity[nobody] = -1, -np.inf
    ids = [f"item {i}" for i in range(400)]
    store = NeighborStore(tmp_path)
    store.write(ids, indices, similarity)
    read = store.read(ids)
    np.testing.assert_array_equal(read[0], indices)
    np.testing.assert_array_equal(read[1], similarity)
    assert (read[0].dtype, read[1].dtype) == (np.int32, np.float32)
    stored = connect(tmp_path).open_table("neighbors").to_arrow()["indices"].to_pylist()
    assert [len(row) for row in stored] == length.tolist()


def test_writing_replaces_everything(tmp_path):
    store = NeighborStore(tmp_path)
    store.write(IDS, *graph(3, 2))
    store.write([*IDS, "d"], *graph(4, 3, seed=1))
    np.testing.assert_array_equal(store.read([*IDS, "d"])[0], graph(4, 3, seed=1)[0])


@pytest.mark.parametrize("others", [["b", "a", "c"], ["a", "b"], ["ab", "", "c"], ["a", "b", "d"]])
def test_a_graph_of_other_items_is_refused(others, tmp_path):
    store = NeighborStore(tmp_path)
    store.write(IDS, *graph(3, 2))
    with pytest.raises(EpoxyError, match="other items"):
        store.read(others)


def test_no_graph_yet(tmp_path):
    store = NeighborStore(tmp_path)
    with pytest.raises(EpoxyError, match="no neighbour graph yet"):
        store.read(IDS)


def test_shapes_that_do_not_fit(tmp_path):
    indices, similarity = graph(3, 2)
    store = NeighborStore(tmp_path)
    for bad in (
        (indices, similarity[:, :1]),
        (indices[:2], similarity[:2]),
        (indices[0], similarity[0]),
    ):
        with pytest.raises(EpoxyError, match="for 3 items"):
            store.write(IDS, *bad)
    with pytest.raises(EpoxyError, match="no neighbour graph yet"):
        store.read(IDS)


def test_damaged_files(tmp_path):
    store = NeighborStore(tmp_path)
    store.write(IDS, *graph(3, 2))
    for file in (tmp_path / "neighbors.lance" / "data").iterdir():
        file.write_bytes(b"junk")
    with pytest.raises(EpoxyError, match="cannot be read"):
        store.read(IDS)
