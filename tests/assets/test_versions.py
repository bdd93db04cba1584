"""Data versions: another for another result, the same however the result came about."""

import itertools

import numpy as np
import polars as pl
import pytest

from assets.versions import data_version

FRAME = pl.DataFrame(
    {
        "item_id": ["a", "bc", None, "a name of more than twelve letters", ""],
        "votes": pl.Series([1, None, 3, -1, 0], dtype=pl.Int8),
        "sure": [True, False, None, True, False],
        "probabilities": pl.Series(
            [[0.5, 0.25], [], None, [1.0], [0.0]], dtype=pl.List(pl.Float32)
        ),
        "causes": [[{"lf": "x", "by": 1.5}], [], None, [{"lf": None, "by": 0.0}], []],
        "at": pl.Series([1, 2, 3, None, 5], dtype=pl.Datetime("us")),
        "pair": pl.Series([[1, 2]] * 5, dtype=pl.Array(pl.Int64, 2)),
        "price": pl.Series(["1.5", None, "2", "3", "4"]).cast(pl.Decimal(10, 2)),
        "blob": [b"1", b"", None, b"22", b"3"],
    }
)


def test_it_does_not_depend_on_how_a_frame_came_about():
    expected = data_version(FRAME)
    larger = pl.concat([FRAME, FRAME, FRAME])
    assert data_version(larger[5:10]) == expected
    assert data_version(pl.concat([FRAME[:2], FRAME[2:]], rechunk=False)) == expected
    assert data_version(pl.DataFrame(pl.from_arrow(FRAME.to_arrow()))) == expected
    shuffled = FRAME.with_row_index("row").sample(5, shuffle=True, seed=3).sort("row").drop("row")
    assert data_version(shuffled) == expected


OTHERS = {
    "a text": FRAME.with_columns(pl.col("item_id").str.replace("bc", "bd")),
    "where texts end": FRAME.with_columns(item_id=pl.Series(["ab", "c", *FRAME["item_id"][2:]])),
    "null for empty": FRAME.with_columns(pl.col("item_id").fill_null("")),
    "null for zero": FRAME.with_columns(pl.col("votes").fill_null(0)),
    "null for false": FRAME.with_columns(pl.col("sure").fill_null(False)),
    "null for no list": FRAME.with_columns(pl.col("probabilities").fill_null([])),
    "in a list": FRAME.with_columns(
        probabilities=pl.Series([[0.25, 0.5], [], None, [1.0], [0.0]], dtype=pl.List(pl.Float32))
    ),
    "where lists end": FRAME.with_columns(
        probabilities=pl.Series([[0.5], [0.25], None, [1.0], [0.0]], dtype=pl.List(pl.Float32))
    ),
    "in a struct": FRAME.with_columns(
        causes=pl.Series([[{"lf": "x", "by": 1.25}], [], None, [{"lf": None, "by": 0.0}], []])
    ),
    "a time": FRAME.with_columns(pl.col("at").dt.offset_by("1us")),
    "a pair": FRAME.with_columns(pair=pl.Series([[2, 1]] * 5, dtype=pl.Array(pl.Int64, 2))),
    "a price": FRAME.with_columns(pl.col("price").fill_null(0)),
    "a blob": FRAME.with_columns(blob=pl.Series([b"1", b"", None, b"2", b"23"])),
    "the order": FRAME.reverse(),
    "fewer": FRAME.head(4),
    "a name": FRAME.rename({"votes": "vote"}),
    "a type": FRAME.with_columns(pl.col("votes").cast(pl.Int16)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_it_is_another_where_anything_is(kind):
    assert data_version(OTHERS[kind]) != data_version(FRAME)


def test_arrays_and_words_count():
    results = [np.arange(4), np.arange(4, dtype=np.int32), "one", "another"]
    versions = [data_version(result) for result in results]
    assert all(one != other for one, other in itertools.combinations(versions, 2))
    assert data_version(np.arange(8)[::2]) == data_version(np.array([0, 2, 4, 6]))
