"""Sizes on disk, of files that are there."""

import pytest

from epoxy_core.home import Home
from epoxy_core.storage.footprint import footprint, in_words


def write(file, size):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))


def test_every_file_counts_once_and_where_it_belongs(tmp_path):
    home = Home(tmp_path)
    write(home.database("t"), 1000)
    write(home.task("t") / "labels.duckdb.wal", 11)
    write(home.lance("t") / "embeddings_ab.lance" / "data" / "one.lance", 500)
    write(home.lance("t") / "frames_cd.lance" / "two.lance", 70)
    write(home.neighbors("t"), 300)
    write(home.lexical("t"), 40)
    write(home.training_set("t") / "training_set.parquet", 20)
    write(home.training_set("t") / "training_set.jsonl", 30)
    write(home.end_model("t"), 5)
    write(home.end_model("t").with_suffix(".md"), 2)
    write(home.database("other"), 9999)
    assert footprint(home, "t") == {
        "tables": 1011,
        "vectors": 570,
        "neighbour graph": 300,
        "lexical vectors": 40,
        "training set": 50,
        "end model": 7,
    }
    assert footprint(home, "never run") == {}


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (7 * 10**9, "7.0 GB")],
)
def test_sizes_in_words(size, said):
    assert in_words(size) == said
