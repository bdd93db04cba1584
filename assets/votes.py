"""Votes between DuckDB and arrays: rows are items by ascending id, columns are LFs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling import ABSTAIN
from epoxy_core.storage.database import Database

ROWS = "(SELECT item_id, (row_number() OVER (ORDER BY item_id) - 1)::INTEGER AS row FROM items)"
"""Every item's row in the arrays, as a subquery."""


def own_votes(database: Database, lf: str, n: int) -> npt.NDArray[np.int8]:
    """Votes of one labeling function, int8 [n]."""
    rows = database.query(
        f"SELECT r.row, v.vote FROM lf_votes v JOIN {ROWS} r USING (item_id) WHERE v.lf = ?", [lf]
    )
    votes = np.full(n, ABSTAIN, np.int8)
    votes[rows["row"].to_numpy()] = rows["vote"].to_numpy()
    return votes


@dataclass(frozen=True)
class VoteMatrices:
    """Own and borrowed votes of all labeling functions.

    Attributes
    ----------
    item_ids
        String [n], ascending.
    own
        int8 [n, m]: votes of the LFs themselves.
    extended
        int8 [n, m]: own and candidate borrowed votes.
    similarity
        float32 [n, m]: 1 for an own vote, NaN for an abstain.
    """

    item_ids: pl.Series
    own: npt.NDArray[np.int8]
    extended: npt.NDArray[np.int8]
    similarity: npt.NDArray[np.float32]


def vote_matrices(database: Database, lfs: Sequence[str]) -> VoteMatrices:
    """Read the extended votes of ``lfs``, in that column order."""
    item_ids = database.item_ids()
    column = pl.DataFrame({"lf": list(lfs), "column": range(len(lfs))})
    rows = database.query(
        "SELECT r.row, v.lf, v.vote, v.similarity, v.source_item_id = v.item_id AS own"
        f" FROM extended_votes v JOIN {ROWS} r USING (item_id)"
    ).join(column, on="lf")
    at = rows["row"].to_numpy(), rows["column"].to_numpy()
    shape = len(item_ids), len(lfs)
    extended = np.full(shape, ABSTAIN, np.int8)
    extended[at] = rows["vote"].to_numpy()
    similarity = np.full(shape, np.nan, np.float32)
    similarity[at] = rows["similarity"].to_numpy()
    is_own = np.zeros(shape, np.bool_)
    is_own[at] = rows["own"].to_numpy()
    own = np.where(is_own, extended, np.int8(ABSTAIN))
    return VoteMatrices(item_ids, own, extended, similarity)
