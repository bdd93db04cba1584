"""Votes between DuckDB's rows and arrays: rows are items by ascending id, columns are LFs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling import ABSTAIN, LFResult
from epoxy_core.lend import Lent
from epoxy_core.storage.database import Database, put

if TYPE_CHECKING:
    import duckdb

ROWS = "(SELECT item_id, (row_number() OVER (ORDER BY item_id) - 1)::INTEGER AS row FROM items)"
"""Every item's row in the arrays, as a subquery."""


OF_ONE = """
    SELECT r.row, s.row AS source, v.vote, v.probability, v.similarity
    FROM extended_votes v JOIN places r USING (item_id)
    JOIN places s ON s.item_id = v.source_item_id
    WHERE v.lf = ?
"""


class StoredVotes(NamedTuple):
    """Extended votes of m labeling functions on n items.

    Attributes
    ----------
    votes
        int8 [n, m], −1 = abstain.
    source
        int32 [n, m], row of the item whose vote it is, the item itself for an own vote; −1 for an
        abstain.
    similarity
        float32 [n, m], to that item; NaN for an abstain.
    strength
        float32 [n, m], the LF's own probability of the vote, 1 for an abstain; None where no vote
        is soft.
    """

    votes: npt.NDArray[np.int8]
    source: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32] | None

    def column(
        self, lf: int
    ) -> tuple[
        npt.NDArray[np.int8],
        npt.NDArray[np.int32],
        npt.NDArray[np.float32],
        npt.NDArray[np.float32] | None,
    ]:
        """One LF's, contiguous; None for its probabilities where no vote of its is soft."""
        strength = None if self.strength is None else self.strength[:, lf].copy()
        if strength is not None and (strength == 1).all():
            strength = None
        return (
            self.votes[:, lf].copy(),
            self.source[:, lf].copy(),
            self.similarity[:, lf].copy(),
            strength,
        )


def vote_rows(
    item_ids: pl.Series,
    lf: str,
    votes: npt.NDArray[np.int8],
    strength: npt.NDArray[np.float32] | None = None,
    among: npt.NDArray[np.intp] | None = None,
) -> pl.DataFrame:
    """Rows of ``lf_votes``: one per vote, none for an abstain.

    Parameters
    ----------
    item_ids
        String [n].
    lf
        The labeling function.
    votes
        int8 [n].
    strength
        float32 [n], its own probabilities; None where no vote is soft.
    among
        Which items; all by default.
    """
    voted = _voted(votes, among)
    claims = np.ones(len(voted), np.float32) if strength is None else strength[voted]
    return pl.DataFrame(
        {
            "item_id": item_ids.gather(voted),
            "lf": pl.repeat(lf, len(voted), dtype=pl.String, eager=True),
            "vote": votes[voted],
            "probability": pl.Series(claims, dtype=pl.Float32),
        }
    )


def extended_rows(
    item_ids: pl.Series,
    lf: str,
    votes: npt.NDArray[np.int8],
    source: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
    strength: npt.NDArray[np.float32] | None = None,
    among: npt.NDArray[np.intp] | None = None,
) -> pl.DataFrame:
    """Rows of ``extended_votes``; the arrays are those of ``ExtendedVotes``."""
    voted = _voted(votes, among)
    return vote_rows(item_ids, lf, votes, strength, voted).with_columns(
        source_item_id=item_ids.gather(source[voted]),
        similarity=pl.Series(similarity[voted], dtype=pl.Float32),
    )


def _voted(votes: npt.NDArray[np.int8], among: npt.NDArray[np.intp] | None) -> npt.NDArray[np.intp]:
    if among is None:
        return np.flatnonzero(votes != ABSTAIN)
    return np.asarray(among[votes[among] != ABSTAIN])


def put_extended(connection: "duckdb.DuckDBPyConnection", lf: str, rows: pl.DataFrame) -> None:
    """Replace one LF's extended votes; those behind the published labels are kept aside."""
    _set_aside(connection, [lf])
    put(connection, "extended_votes", rows, "lf = ?", lf)


def reach_row(lf: str, lent: Lent, floor: float) -> pl.DataFrame:
    """One labeling function's row of ``extension``."""
    return pl.DataFrame(
        {
            "lf": [lf],
            "least_similarity": [lent.least],
            "origin": [lent.origin],
            "floor": [floor],
        }
    )


def error_rows(lf: str, result: LFResult) -> pl.DataFrame:
    """One labeling function's rows of ``lf_errors``."""
    return pl.DataFrame(
        [(lf, found.item_id, found.error, result.n_errors) for found in result.errors],
        schema={"lf": pl.String, "item_id": pl.String, "error": pl.String, "n_errors": pl.Int64},
        orient="row",
    )


def keep_only(connection: "duckdb.DuckDBPyConnection", lfs: Sequence[str]) -> None:
    """Remove what is stored of labeling functions that are no more."""
    names = list(lfs)
    gone = connection.execute(
        "SELECT DISTINCT lf FROM extended_votes WHERE NOT list_contains(?, lf)", [names]
    ).fetchall()
    _set_aside(connection, [lf for (lf,) in gone])
    for table in ("lf_votes", "lf_errors", "extended_votes", "extension"):
        connection.execute(f"DELETE FROM {table} WHERE NOT list_contains(?, lf)", [names])


def own_votes(
    database: Database, lf: str, n: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32] | None]:
    """Votes of one labeling function, int8 [n], and their probabilities.

    These are float32 [n], 1 for an abstain; None where no vote is soft.
    """
    rows = database.query(
        "SELECT r.row, v.vote, v.probability FROM lf_votes v"
        f" JOIN {ROWS} r USING (item_id) WHERE v.lf = ?",
        [lf],
    )
    at = rows["row"].to_numpy()
    votes = np.full(n, ABSTAIN, np.int8)
    votes[at] = rows["vote"].to_numpy()
    return votes, _strength((n,), at, rows["probability"])


def extended_votes(database: Database, lfs: Sequence[str]) -> StoredVotes:
    """Extended votes of ``lfs``, in that column order; memory for one of them beside the result."""
    shape = len(database.item_ids()), len(lfs)
    votes = np.full(shape, ABSTAIN, np.int8)
    source = np.full(shape, ABSTAIN, np.int32)
    similarity = np.full(shape, np.nan, np.float32)
    strength: npt.NDArray[np.float32] | None = None
    with database.read() as connection:
        connection.execute(f"CREATE TEMP TABLE places AS FROM {ROWS}")
        for column, lf in enumerate(lfs):
            rows = connection.execute(OF_ONE, [lf]).fetchnumpy()
            at = rows["row"]
            votes[at, column], source[at, column] = rows["vote"], rows["source"]
            similarity[at, column] = rows["similarity"]
            if (rows["probability"] != 1).any():
                if strength is None:
                    strength = np.ones(shape, np.float32)
                strength[at, column] = rows["probability"]
    return StoredVotes(votes, source, similarity, strength)


def _strength(
    shape: tuple[int, ...], at: Any, probabilities: pl.Series
) -> npt.NDArray[np.float32] | None:
    known = probabilities.to_numpy()
    if (known == 1).all():
        return None
    strength = np.ones(shape, np.float32)
    strength[at] = known
    return strength


def _set_aside(connection: "duckdb.DuckDBPyConnection", lfs: Sequence[str]) -> None:
    """Keep the votes that the published labels were made from until new labels are published."""
    for lf in lfs:
        known = connection.execute("SELECT 1 FROM superseded WHERE lf = ?", [lf]).fetchall()
        if not known:
            connection.execute("INSERT INTO superseded VALUES (?)", [lf])
            connection.execute(
                "INSERT INTO superseded_votes SELECT * FROM extended_votes WHERE lf = ?", [lf]
            )
