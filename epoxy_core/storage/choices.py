"""What was chosen by itself, and why: the table ``choices``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from epoxy_core.choices import Choice
from epoxy_core.storage.database import Database, put

if TYPE_CHECKING:
    import duckdb

SCHEMA = {
    "stage": pl.String,
    "candidate": pl.String,
    "chosen": pl.Boolean,
    "measure": pl.String,
    "value": pl.Float64,
    "reason": pl.String,
    "warning": pl.String,
}


def choice_rows(choices: Sequence[Choice]) -> pl.DataFrame:
    """One row per candidate; reason and warning with the one that was chosen."""
    rows = []
    for choice in choices:
        for candidate in dict.fromkeys([choice.chosen, *choice.scores]):
            chosen = candidate == choice.chosen
            rows.append(
                (
                    choice.stage,
                    candidate,
                    chosen,
                    choice.measure or None,
                    choice.scores.get(candidate),
                    choice.reason if chosen else None,
                    (choice.warning or None) if chosen else None,
                )
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def put_choices(
    connection: "duckdb.DuckDBPyConnection", choices: Sequence[Choice], stages: Sequence[str]
) -> None:
    """Replace the choices of some stages, within the caller's transaction.

    Parameters
    ----------
    connection
        Inside ``Database.write``.
    choices
        What was chosen now.
    stages
        All stages that the caller decides on: what was chosen earlier in those that have no
        choice now is forgotten.
    """
    rows = choice_rows([choice for choice in choices if choice.stage in stages])
    put(connection, "choices", rows, "list_contains(?, stage)", list(stages))


def read_choices(database: Database) -> list[Choice]:
    """All choices, in the order in which they were made within their stages."""
    rows = database.query("SELECT * FROM choices ORDER BY rowid")
    found = []
    for (stage,), candidates in rows.group_by("stage", maintain_order=True):
        taken = candidates.filter("chosen").row(0, named=True)
        scores = candidates.select("candidate", "value").drop_nulls().iter_rows()
        found.append(
            Choice(
                str(stage),
                taken["candidate"],
                taken["reason"],
                taken["measure"] or "",
                dict(scores),
                taken["warning"] or "",
            )
        )
    return found
