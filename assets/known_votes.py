"""Votes on new and changed items only, where those on the others are stored and still right.

An item keeps its vote if the labeling function, how it is run and the item are what they were, and
the vote depends on nothing else. Whoever writes votes otherwise need not know of this: stored votes
that are not those noted here are not relied on.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import polars as pl

from assets.versions import data_version
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    LFResult,
    apply_labeling_functions,
    is_row_wise,
)
from epoxy_core.labeling.result import result_of
from epoxy_core.storage.database import Database, add, drop, put
from epoxy_core.storage.item_versions import items_since

if TYPE_CHECKING:
    import duckdb


class Voted(NamedTuple):
    """What one labeling function said.

    Attributes
    ----------
    result
        Of all items.
    item_ids
        The items it voted on, ascending.
    outdated
        Items that it did not abstain on before, and that it voted on again or that are no more;
        None where it voted on all.
    """

    result: LFResult
    item_ids: pl.Series
    outdated: pl.Series | None = None


class _Known(NamedTuple):
    """Votes and errors of one labeling function that are right up to a version of the items."""

    lf: LabelingFunction
    version: int
    votes: pl.DataFrame
    errors: pl.DataFrame


def vote_on_new_items(
    database: Database,
    lfs: Sequence[LabelingFunction],
    code_versions: Mapping[str, str],
    version: int,
    item_ids: pl.Series,
    classes: Sequence[str],
) -> dict[str, Voted]:
    """Have labeling functions vote on what is new or other, if that gives what voting on all would.

    Not where nothing is new: who asks for votes then does not trust the stored ones.

    Parameters
    ----------
    database
        Where items and votes are.
    lfs, code_versions
        The functions, and their versions by name.
    version, item_ids
        The version of the items, and their ids, ascending.
    classes
        Class names in order.

    Returns
    -------
    dict
        By name; functions that have to vote on all items are not in it.
    """
    known = _known(database, lfs, code_versions, version)
    voted: dict[str, Voted] = {}
    for since in sorted({found.version for found in known}):
        group = [found for found in known if found.version == since]
        failed = pl.concat([found.errors["item_id"] for found in group]).unique()
        items = items_since(database, since, failed)
        group = [found for found in group if is_row_wise(found.lf, items)]
        results = apply_labeling_functions([found.lf for found in group], items, classes)
        for found, result in zip(group, results, strict=True):
            if not any(error.item_id is None for error in result.errors):
                voted[found.lf.name] = _completed(found, result, items["item_id"], item_ids)
    return voted


def replace_votes(
    connection: "duckdb.DuckDBPyConnection", lf: str, voted: Voted, rows: pl.DataFrame
) -> None:
    """Store votes: all of them, or where others are stored already, those of the items voted on.

    Parameters
    ----------
    rows
        Rows of ``lf_votes`` of all items.
    """
    if voted.outdated is None:
        put(connection, "lf_votes", rows, "lf = ?", lf)
        return
    drop(connection, "lf_votes", voted.outdated, "lf = ?", lf)
    add(connection, "lf_votes", rows.filter(pl.col("item_id").is_in(voted.item_ids.implode())))


def note_voted(
    connection: "duckdb.DuckDBPyConnection",
    lf: str,
    code_version: str,
    items_version: int | None,
    votes: pl.DataFrame,
    errors: pl.DataFrame,
) -> None:
    """Note what the stored votes were cast on; nothing where the version is None."""
    row = {
        "lf": lf,
        "code_version": code_version,
        "items_version": items_version,
        "digest": _digest(votes, errors),
    }
    rows = pl.DataFrame([row], schema_overrides={"items_version": pl.Int64})
    put(connection, "lf_voted", rows.drop_nulls(), "lf = ?", lf)


def _known(
    database: Database,
    lfs: Sequence[LabelingFunction],
    code_versions: Mapping[str, str],
    version: int,
) -> list[_Known]:
    """Those whose stored votes are as noted, on older items, with every error by item."""
    noted = {row["lf"]: row for row in database.query("SELECT * FROM lf_voted").to_dicts()}
    found = []
    with database.read() as connection:
        for lf in lfs:
            note = noted.get(lf.name)
            if note is None or note["code_version"] != code_versions[lf.name]:
                continue
            if note["items_version"] >= version:
                continue
            errors = _rows(connection, "lf_errors", "lf, item_id, error, n_errors", lf.name)
            if errors["item_id"].null_count() or (errors["n_errors"] != errors.height).any():
                continue
            votes = _rows(connection, "lf_votes", "item_id, lf, vote, probability", lf.name)
            if _digest(votes, errors) == note["digest"]:
                found.append(_Known(lf, note["items_version"], votes, errors))
    return found


def _rows(
    connection: "duckdb.DuckDBPyConnection", table: str, columns: str, lf: str
) -> pl.DataFrame:
    rows = connection.sql(
        f"SELECT {columns} FROM {table} WHERE lf = ? ORDER BY item_id", params=[lf]
    )
    return cast(pl.DataFrame, pl.from_arrow(rows.to_arrow_table()))


def _completed(known: _Known, result: LFResult, again: pl.Series, item_ids: pl.Series) -> Voted:
    """Votes on all items: new ones on some, the known ones on the others.

    The items that had errors are among those voted on again, so that the new errors are all.
    """
    rows = pl.DataFrame({"item_id": item_ids}).with_row_index("row")
    kept = known.votes.join(
        again.alias("item_id").to_frame(), on="item_id", how="anti", maintain_order="left"
    ).join(rows, on="item_id", maintain_order="left")
    votes = np.full(len(item_ids), ABSTAIN, np.int8)
    strength = np.ones(len(item_ids), np.float32)
    at = kept["row"].to_numpy()
    votes[at], strength[at] = kept["vote"].to_numpy(), kept["probability"].to_numpy()
    new = rows.join(again.alias("item_id").to_frame(), on="item_id", maintain_order="right")
    at = new["row"].to_numpy()
    votes[at] = result.votes
    strength[at] = 1 if result.strength is None else result.strength
    outdated = known.votes.join(kept, on="item_id", how="anti")["item_id"]
    whole = result_of(votes, strength, result.errors, result.n_errors)
    return Voted(whole, again, outdated)


def _digest(votes: pl.DataFrame, errors: pl.DataFrame) -> str:
    return f"{data_version(votes).value}-{data_version(errors).value}"
