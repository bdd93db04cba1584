import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance import EmbeddingStore
from epoxy_core.storage.lance_tables import compact


def unit(n, d=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def names(n):
    return [f"{i:032x}" for i in range(n)]


@pytest.fixture
def store(tmp_path):
    made = EmbeddingStore(tmp_path / "lance", "encoder@1")
    made.append(names(20)[:12], unit(20)[:12])
    made.append(names(20)[12:], unit(20)[12:])
    return made


def test_an_empty_store(tmp_path):
    store = EmbeddingStore(tmp_path / "lance", "encoder@1")
    assert store.dimension is None
    assert store.missing(["b", "a", "b"]) == ["b", "a"]
    assert store.load([]).shape == (0, 0)
    assert store.tags() == {}
    for needs_rows in (lambda: store.load(["a"]), store.compact, lambda: store.tag("v")):
        with pytest.raises(EpoxyError):
            needs_rows()
    assert not (tmp_path / "lance").exists()


def test_vectors_come_back_as_unit_rows_in_the_order_asked(store):
    asked = [7, 19, 0, 7, 12]
    vectors = store.load([names(20)[i] for i in asked])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, unit(20)[asked], atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert store.dimension == 8
    assert store.load([]).shape == (0, 8)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=30), st.lists(st.integers(0, 60), max_size=30))
def test_missing_is_the_ordered_difference(tmp_path_factory, stored, asked):
    store = EmbeddingStore(tmp_path_factory.mktemp("lance"), "e")
    kept = list(dict.fromkeys(stored))
    store.append([str(i) for i in kept], unit(len(kept)))
    expected = [str(i) for i in dict.fromkeys(asked) if i not in set(stored)]
    assert store.missing([str(i) for i in asked]) == expected


def test_a_content_stored_twice_counts_once(store):
    store.append([names(20)[3], "new"], unit(2, seed=5))
    np.testing.assert_allclose(store.load([names(20)[3]]), unit(20)[3:4], atol=1e-3)
    np.testing.assert_allclose(store.load(["new"]), unit(2, seed=5)[1:], atol=1e-3)


def test_more_rows_than_one_batch(tmp_path):
    store = EmbeddingStore(tmp_path, "e")
    n = 70_000
    vectors = unit(n, d=4)
    store.append(names(n), vectors)
    order = np.random.default_rng(1).permutation(n)
    hashes = names(n)
    np.testing.assert_allclose(store.load([hashes[i] for i in order]), vectors[order], atol=1e-3)


def test_encoders_do_not_mix(store):
    other = EmbeddingStore(store.path, "encoder@2")
    assert other.missing(names(2)) == names(2)
    other.append(names(2), unit(2, d=3))
    assert (store.dimension, other.dimension) == (8, 3)


@pytest.mark.parametrize(
    ("hashes", "vectors", "problem"),
    [
        (["a"], unit(1, d=5), "8 dimensions, the new ones 5"),
        (["a", "b"], unit(1), "2 hashes"),
        (["a", "b"], np.float32([[1] * 8, [np.nan] * 8]), "content b"),
    ],
)
def test_bad_vectors_are_refused_whole(store, hashes, vectors, problem):
    with pytest.raises(EpoxyError, match=problem):
        store.append(hashes, vectors)
    assert store.missing(["a", "b"]) == ["a", "b"]


def test_an_unknown_hash_is_named(store):
    with pytest.raises(EpoxyError, match="2 contents, the first with hash nope"):
        store.load([names(1)[0], "nope", "neither"])


@pytest.mark.parametrize("damage", ["_versions", "data"])
def test_damaged_files_are_an_error_with_a_remedy(store, damage):
    for file in (store.path / f"{store.table_name}.lance" / damage).iterdir():
        file.write_bytes(b"junk")
    with pytest.raises(EpoxyError, match="delete this directory"):
        store.load(names(3))


def test_a_file_in_the_place_of_the_directory(tmp_path):
    (tmp_path / "lance").write_text("not a directory")
    with pytest.raises(EpoxyError, match="cannot be read or written"):
        EmbeddingStore(tmp_path / "lance", "e").append(["a"], unit(1))


def test_compaction_keeps_tagged_versions(store):
    store.tag("before")
    folder = store.path / f"{store.table_name}.lance"
    for i in range(30):
        store.append([f"more {i}"], unit(1, seed=i))
    store.tag("after")
    store.tag("after")
    store.compact()
    assert set(store.tags()) == {"before", "after"}
    import lancedb

    table = lancedb.connect(store.path).open_table(store.table_name)
    assert table.count_rows() == 50
    table.checkout("before")
    assert table.count_rows() == 20
    assert table.to_arrow().num_rows == 20

    newest = lancedb.connect(store.path).open_table(store.table_name)
    for tag in ("before", "after"):
        newest.tags.delete(tag)
    files = len(list((folder / "data").iterdir()))
    time.sleep(1.1)
    compact(newest, still_read=timedelta(seconds=1))
    assert len(list((folder / "data").iterdir())) < files
    np.testing.assert_allclose(store.load(names(20)), unit(20), atol=1e-3)


def test_only_the_newest_tags_stay(store):
    for i in range(14):
        store.append([f"more {i}"], unit(1))
        store.tag(f"v{i}")
    assert set(store.tags()) == {f"v{i}" for i in range(4, 14)}
    store.tag("v4")
    assert max(store.tags(), key=lambda tag: (store.tags()[tag], tag == "v4")) == "v4"


WRITER = """
import sys
from pathlib import Path
import numpy as np
from epoxy_core.storage.lance import EmbeddingStore

store = EmbeddingStore(Path(sys.argv[1]), "e")
for chunk in range(int(sys.argv[2]), 10**6):
    vectors = np.zeros((50, 64), np.float32)
    vectors[np.arange(50), chunk % 64] = 1
    store.append([f"{chunk}-{row}" for row in range(50)], vectors)
    print(chunk, flush=True)
"""


def test_a_killed_writer_leaves_whole_chunks(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    start = 0
    for lines in (1, 4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            committed = [int(writer.stdout.readline()) for _ in range(lines)][-1]
            writer.send_signal(signal.SIGKILL)
        store = EmbeddingStore(tmp_path, "e")
        every = [[f"{chunk}-{row}" for row in range(50)] for chunk in range(committed + 20)]
        whole = [not store.missing(hashes) for hashes in every]
        partly = [len(store.missing(hashes)) not in (0, 50) for hashes in every]
        assert all(whole[: committed + 1])
        assert not any(partly)
        start = whole.index(False)
    vectors = store.load([every[chunk][0] for chunk in range(start)])
    np.testing.assert_array_equal(vectors.argmax(axis=1), np.arange(start) % 64)
