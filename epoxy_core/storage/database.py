"""A task's DuckDB file: short connections, one transaction per write."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import BusyError, EpoxyError
from epoxy_core.storage.schema import BY_NAME, TABLES

if TYPE_CHECKING:
    import duckdb

Opened = TypeVar("Opened")

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
        self._must_exist()
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

    def snapshot(self, target: Path) -> None:
        """Copy the tables to a file of their own, which may be kept open as long as one likes.

        Parameters
        ----------
        target
            The copy; an older one is swapped for it once it is whole.

        Raises
        ------
        EpoxyError
            As `read`; or if the copy cannot be written.
        """
        import duckdb

        self._must_exist()
        partial = target.with_name(target.name + ".partial")
        with duckdb.connect() as connection:
            source = _quoted(self.path)
            self._patiently(lambda: connection.execute(f"ATTACH {source} AS ours (READ_ONLY)"))
            try:
                partial.unlink(missing_ok=True)
                connection.execute(f"ATTACH {_quoted(partial)} AS copied")
                connection.execute("COPY FROM DATABASE ours TO copied; DETACH copied")
                os.replace(partial, target)
            except (duckdb.Error, OSError) as error:
                raise EpoxyError(
                    f"the copy cannot be written ({str(error).splitlines()[0]})",
                    where=str(target),
                    remedy="Give a file in a folder of yours that no program has open.",
                ) from error

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

    def _must_exist(self) -> None:
        if not self.path.is_file():
            raise EpoxyError(
                "no results yet", where=str(self.path), remedy="`epoxy run TASK` makes them."
            )

    def _connect(self, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        return self._patiently(lambda: duckdb.connect(str(self.path), read_only=read_only))

    def _patiently(self, attempt: Callable[[], Opened]) -> Opened:
        """Open the file, waiting for other processes to let go of it."""
        import duckdb

        deadline = time.monotonic() + self.patience
        while True:
            try:
                return attempt()
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
                        remedy="Close the program that has it open; `epoxy snapshot TASK` makes "
                        "a copy for it.",
                    ) from error
                time.sleep(0.1)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def selected(table: str, columns: Sequence[str]) -> str:
    """What to SELECT: columns of a table, whatever signs their names have."""
    return ", ".join(f'{table}."{column.replace(chr(34), 2 * chr(34))}"' for column in columns)


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
