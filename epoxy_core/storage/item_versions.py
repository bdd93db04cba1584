"""Since when each item is as it is: so that only new and changed ones are voted on."""

from typing import TYPE_CHECKING, cast

import polars as pl

from epoxy_core.storage.database import Database

if TYPE_CHECKING:
    import duckdb

_FLOATS = ("FLOAT", "DOUBLE")


def note_changes(connection: "duckdb.DuckDBPyConnection", items: pl.DataFrame) -> None:
    """Give items that are new, or other than in the table, a new version; before they replace it.

    Where the table has other columns, or columns of another type, all items are other. The split
    does not count: no labeling function sees it.

    Parameters
    ----------
    connection
        Within the transaction that writes the items.
    items
        The items frame that is written next.
    """
    connection.register("coming", items.drop("split").to_arrow())
    columns = connection.execute(
        "SELECT column_name, column_type FROM (DESCRIBE FROM coming)"
    ).fetchall()
    before = connection.execute(
        "SELECT column_name, column_type FROM (DESCRIBE SELECT * EXCLUDE (split) FROM items)"
    ).fetchall()
    connection.execute("CREATE TEMP TABLE other (item_id VARCHAR)")
    if columns == before:
        differs = " OR ".join(_differs(f'"{name}"', kind) for name, kind in _escaped(columns))
        connection.execute(
            "INSERT INTO other SELECT c.item_id FROM coming c LEFT JOIN items o USING (item_id)"
            f" WHERE o.item_id IS NULL OR {differs}"
            " UNION ALL SELECT item_id FROM items ANTI JOIN coming USING (item_id)"
        )
        connection.execute("DELETE FROM item_versions WHERE item_id IN (SELECT item_id FROM other)")
    else:
        connection.execute("INSERT INTO other SELECT item_id FROM coming")
        connection.execute("DELETE FROM item_versions")
    if connection.execute("SELECT 1 FROM other LIMIT 1").fetchall() or columns != before:
        version = _newest(connection) + 1
        connection.execute("DELETE FROM items_version")
        connection.execute("INSERT INTO items_version VALUES (?)", [version])
        connection.execute(
            "INSERT INTO item_versions SELECT item_id, ? FROM other SEMI JOIN coming"
            " USING (item_id)",
            [version],
        )
    connection.execute("DROP TABLE other")
    connection.unregister("coming")


def items_version(database: Database) -> int:
    """The version of the newest item, or of the last removal of one; 0 if there is none."""
    with database.read() as connection:
        return _newest(connection)


def items_since(database: Database, version: int, also: pl.Series) -> pl.DataFrame:
    """Items, by ascending id and without split, that are newer than a version.

    Parameters
    ----------
    also
        Ids of items that are wanted in any case.
    """
    with database.read() as connection:
        connection.register("also", pl.DataFrame({"item_id": also.cast(pl.String)}).to_arrow())
        found = connection.sql(
            "SELECT i.* EXCLUDE (split) FROM items i LEFT JOIN item_versions v USING (item_id)"
            " WHERE coalesce(v.version > ?, true) OR item_id IN (SELECT item_id FROM also)"
            " ORDER BY item_id",
            params=[version],
        ).to_arrow_table()
    return cast(pl.DataFrame, pl.from_arrow(found))


def _newest(connection: "duckdb.DuckDBPyConnection") -> int:
    found = connection.execute("SELECT max(version) FROM items_version").fetchone()
    return int(found[0] or 0) if found else 0


def _escaped(columns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.replace('"', '""'), kind) for name, kind in columns]


def _differs(name: str, kind: str) -> str:
    differs = f"c.{name} IS DISTINCT FROM o.{name}"
    if kind in _FLOATS:  # -0.0 equals 0.0 and does not look like it
        differs += f" OR signbit(c.{name}) IS DISTINCT FROM signbit(o.{name})"
    return differs
