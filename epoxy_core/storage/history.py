"""What votes were worth, and what a change of labels is due to: current votes against earlier ones.

The tables `evidence` and `label_run_evidence` hold what a vote adds now and added in the last label
run; `superseded_votes` holds the votes of then where they are others now.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.label_changes import CastVotes, Evidence, causes, grown, margins
from epoxy_core.storage.database import put
from epoxy_core.task import Task

if TYPE_CHECKING:
    import duckdb

Floats = npt.NDArray[np.float64]

VOTES = """
    SELECT v.item_id, v.lf, v.vote, v.probability, v.similarity, v.source_item_id = v.item_id AS own
    FROM {} v WHERE v.item_id IN (SELECT item_id FROM changed)
"""

VOTES_BEFORE = f"""
    {VOTES.format("superseded_votes")} UNION ALL
    {VOTES.format("extended_votes")} AND v.lf NOT IN (SELECT lf FROM superseded)
"""


def put_evidence(
    connection: "duckdb.DuckDBPyConnection",
    names: Sequence[str],
    evidence: Floats,
    silence: Floats,
    thresholds: Floats,
    grid: Floats,
    curves: Floats,
) -> None:
    """Replace what votes are worth, within the caller's transaction.

    Of each curve the points below its threshold and within its level stretches are left out: at
    every similarity that counts, interpolation gives the same.

    Parameters
    ----------
    connection
        Inside ``Database.write``.
    names
        The labeling functions.
    evidence
        float64 [m, S, K], ``LabelModel.evidence_``.
    silence
        float64 [m, K], ``LabelModel.silence_``.
    thresholds
        float64 [m], least similarity at which a borrowed vote counts.
    grid, curves
        float64 [g] and [m, g], log-odds of a borrowed vote against similarity.
    """
    kept = [_needed(grid, *curve) for curve in zip(thresholds, curves, strict=True)]
    rows = {
        "lf": list(names),
        "threshold": thresholds,
        "own": [table.ravel().tolist() for table in evidence],
        "silence": silence.tolist(),
        "grid": [grid[points].tolist() for points in kept],
        "log_odds": [curve[points].tolist() for curve, points in zip(curves, kept, strict=True)],
    }
    listed = pl.List(pl.Float64)
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "lf": pl.String,
        "threshold": pl.Float64,
        "own": listed,
        "silence": listed,
        "grid": listed,
        "log_odds": listed,
    }
    put(connection, "evidence", pl.DataFrame(rows, schema=schema))


def causes_in_tables(
    connection: "duckdb.DuckDBPyConnection",
    task: Task,
    settings: Mapping[str, Any],
    item_ids: pl.Series,
    old: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
) -> pl.Series:
    """Name the labeling functions behind the changes of these items' labels.

    Parameters
    ----------
    connection
        Inside the transaction that publishes.
    task
        Its settings now.
    settings
        Those of the last label run, as JSON.
    item_ids
        String [f].
    old, new
        int [f], classes before and after; see `label_changes.opponents`.

    Returns
    -------
    As `label_changes.causes`.
    """
    connection.register("changed", item_ids.alias("item_id").to_frame().to_arrow())
    hard = settings["extension"]["weighting"] == "hard"
    lfs, evidence = _evidence(connection, "label_run_evidence", task.n_classes, hard)
    votes = _cast(rows_of(connection, VOTES_BEFORE), item_ids, lfs)
    before = lfs, margins(evidence, votes, new, old)
    hard = task.extension.weighting == "hard"
    lfs, evidence = _evidence(connection, "evidence", task.n_classes, hard)
    votes = _cast(rows_of(connection, VOTES.format("extended_votes")), item_ids, lfs)
    after = lfs, margins(evidence, votes, new, old)
    connection.unregister("changed")
    return causes(*grown(before, after))


def _evidence(
    connection: "duckdb.DuckDBPyConnection", table: str, n_classes: int, hard: bool
) -> tuple[list[str], Evidence]:
    rows = rows_of(connection, f"SELECT * FROM {table} ORDER BY lf")
    own = np.array(rows["own"].to_list(), dtype=np.float64)
    n_symbols = own.shape[1] // n_classes if len(own) else n_classes
    return rows["lf"].to_list(), Evidence(
        own.reshape(len(own), n_symbols, n_classes),
        np.array(rows["silence"].to_list(), dtype=np.float64).reshape(len(own), n_classes),
        rows["threshold"].to_numpy(),
        [np.array(grid) for grid in rows["grid"]],
        [np.array(curve) for curve in rows["log_odds"]],
        hard,
    )


def _cast(rows: pl.DataFrame, item_ids: pl.Series, lfs: Sequence[str]) -> CastVotes:
    shape = len(item_ids), len(lfs)
    votes = np.full(shape, -1, np.int8)
    similarity = np.full(shape, np.nan, np.float32)
    own = np.zeros(shape, np.bool_)
    strength = np.ones(shape, np.float32)
    places = rows.join(
        pl.DataFrame({"item_id": item_ids, "row": np.arange(len(item_ids))}), on="item_id"
    ).join(
        pl.DataFrame({"lf": pl.Series(lfs, dtype=pl.String), "lf_row": range(len(lfs))}), on="lf"
    )
    at = places["row"].to_numpy(), places["lf_row"].to_numpy()
    votes[at], similarity[at], own[at], strength[at] = (
        places[name].to_numpy() for name in ("vote", "similarity", "own", "probability")
    )
    return CastVotes(votes, similarity, own, strength if (strength != 1).any() else None)


def _needed(grid: Floats, threshold: float, curve: Floats) -> npt.NDArray[np.bool_]:
    reached = np.arange(len(grid)) >= np.searchsorted(grid, threshold, side="right") - 1
    turns = np.ones(len(grid), np.bool_)
    turns[1:-1] = (curve[1:-1] != curve[:-2]) | (curve[1:-1] != curve[2:])
    turns[int(reached.argmax())] = True
    return np.asarray(reached & turns)


def rows_of(connection: "duckdb.DuckDBPyConnection", sql: str, *values: Any) -> pl.DataFrame:
    """Rows of a query within the caller's transaction."""
    found = connection.sql(sql, params=list(values))
    return cast(pl.DataFrame, pl.from_arrow(found.to_arrow_table()))
