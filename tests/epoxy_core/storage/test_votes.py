"""Votes and their probabilities on a real DuckDB file."""

import numpy as np
import polars as pl
import pytest

from epoxy_core.storage.database import Database
from epoxy_core.storage.votes import (
    extended_rows,
    extended_votes,
    own_votes,
    put_extended,
    vote_rows,
)

IDS = pl.Series("item_id", ["a", "b", "c", "d"])
VOTES = np.array([1, -1, 5, -1], np.int8)
CLAIMS = np.array([0.7, 1, 1, 1], np.float32)


@pytest.fixture
def database(tmp_path):
    found = Database(tmp_path / "labels.duckdb")
    text = ["x"] * len(IDS)
    found.replace(
        "items",
        pl.DataFrame({"item_id": IDS, "split": text, "text": text, "content_hash": text}),
    )
    return found


@pytest.mark.parametrize("claims", [CLAIMS, None])
def test_own_votes_come_back(database, claims):
    database.replace("lf_votes", vote_rows(IDS, "one", VOTES, claims))
    votes, strength = own_votes(database, "one", 4)
    np.testing.assert_array_equal(votes, VOTES)
    assert (strength is None) == (claims is None)
    if claims is not None:
        assert strength.dtype == np.float32
        np.testing.assert_array_equal(strength, claims)


def test_extended_votes_come_back(database):
    source = np.array([0, 0, 2, -1], np.int32)
    similarity = np.array([1, 0.5, 1, np.nan], np.float32)
    lent = np.array([1, 1, 5, -1], np.int8)
    claims = np.array([0.7, 0.7, 1, 1], np.float32)
    with database.write() as connection:
        put_extended(connection, "one", extended_rows(IDS, "one", lent, source, similarity, claims))
        put_extended(connection, "two", extended_rows(IDS, "two", lent, source, similarity))
    found = extended_votes(database, ["two", "one"])
    for lf in (0, 1):
        for stored, given in zip(found.column(lf), (lent, source, similarity), strict=False):
            np.testing.assert_array_equal(stored, given)
    assert found.column(0)[3] is None
    np.testing.assert_array_equal(found.column(1)[3], claims)
    with database.write() as connection:
        connection.execute("DELETE FROM extended_votes WHERE lf = 'one'")
    assert extended_votes(database, ["two"]).strength is None
