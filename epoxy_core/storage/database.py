"""A task's DuckDB file: short connections, one transaction per write."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import BusyError, EpoxyError
from epoxy_core.storage.schema import BY_NAME, TABLES

if TYPE_CHECKING:
    import duckdb

LOCK_PATIENCE = 30.0
"""Seconds to wait for another process to let go of the file."""


class Database:
    """The tables of one task (``epoxy_core.storage.schema``).

    A connection is held only inside ``read`` and ``write``, since DuckDB locks its file against
    other processes for as long as one is open. ``write`` is one transaction: a reader, or the
    next run after a crash, finds all of it or nothing of it.
    """

    def __init__(self, path: Path, patience: float = LOCK_PATIENCE) -> None:
        self.path = path
        self.patience = patience

    @contextmanager
    def write(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection inside a transaction; committed at the end, rolled back on an error."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EpoxyError(
                f"cannot be made: {error.strerror}",
                where=str(self.path.parent),
                remedy="Point EPOXY_HOME at a folder of yours.",
            ) from error
        connection = self._connect(read_only=False)
        try:
            connection.begin()
            self._check_columns(connection)
            for table in TABLES:
                connection.execute(table.ddl)
            yield connection
            connection.commit()
        finally:
            connection.close()

    @contextmanager
    def read(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A read-only connection.

        Raises
        ------
        EpoxyError
            If nothing has been written yet, or another process keeps the file locked.
        """
        if not self.path.is_file():
            raise EpoxyError(
                "no results yet", where=str(self.path), remedy="`epoxy run TASK` makes them."
            )
        connection = self._connect(read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pl.DataFrame:
        """Rows of a read-only query.

        Raises
        ------
        EpoxyError
            As `read`; or if the file lacks a table or column of ours.
        """
        import duckdb

        with self.read() as connection:
            try:
                rows = connection.sql(sql, params=list(parameters)).to_arrow_table()
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                raise EpoxyError(
                    f"is not a database of this program ({str(error).splitlines()[0]})",
                    where=str(self.path),
                    remedy="Remove it, then `epoxy run TASK` makes it anew.",
                ) from error
        return cast(pl.DataFrame, pl.from_arrow(rows))

    def replace(self, name: str, rows: pl.DataFrame, where: str = "", *values: Any) -> None:
        """Replace a table's rows, or those matching ``where``, in one transaction."""
        with self.write() as connection:
            put(connection, name, rows, where, *values)

    def item_ids(self) -> pl.Series:
        """Ids of all items, ascending: the row order of every array."""
        return self.query("SELECT item_id FROM items ORDER BY item_id")["item_id"]

    def labels_by_row(self, split: str) -> npt.NDArray[np.int8]:
        """Gold classes in item order, int8 [n], −1 where an item has none in ``split``."""
        rows = self.query(
            f"SELECT g.label FROM items i LEFT JOIN {split}_labels g USING (item_id)"
            " ORDER BY i.item_id"
        )
        return rows["label"].fill_null(-1).cast(pl.Int8).to_numpy()

    def _check_columns(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Refuse a file that another version of this program wrote."""
        found = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns()"
        ).fetchall()
        tables = {table for table, _ in found}
        lacking = [
            f"{table.name}.{column.name}"
            for table in TABLES
            for column in table.columns
            if table.name in tables and (table.name, column.name) not in found
        ]
        if lacking:
            raise EpoxyError(
                f"was written by another version of this program (no {lacking[0]})",
                where=str(self.path),
                remedy="Remove it, then `epoxy run TASK` makes it anew.",
            )

    def _connect(self, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        deadline = time.monotonic() + self.patience
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise EpoxyError(
                        f"cannot be opened as a DuckDB file ({error})",
                        where=str(self.path),
                        remedy="Check its permissions. If it is damaged, remove it: "
                        "`epoxy run TASK` makes it anew.",
                    ) from error
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"locked by another process for {self.patience:.0f} s ({error})",
                        where=str(self.path),
                        remedy="Close the program that has it open, or let it work on a copy.",
                    ) from error
                time.sleep(0.1)


def put(
    connection: "duckdb.DuckDBPyConnection",
    name: str,
    rows: pl.DataFrame,
    where: str = "",
    *values: Any,
) -> None:
    """Replace a table's rows, or those matching ``where``, within the caller's transaction."""
    table = BY_NAME[name]
    connection.register("incoming", rows.to_arrow())
    if table.open:
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
        connection.execute(table.comments)
    else:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        condition = f" WHERE {where}" if where else ""
        connection.execute(f"DELETE FROM {name}{condition}", list(values))
        connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM incoming")
    connection.unregister("incoming")
