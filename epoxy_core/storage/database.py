"""A task's DuckDB file: short connections, one transaction per write."""

import atexit
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import BusyError, EpoxyError
from epoxy_core.storage.schema import BY_NAME, TABLES
from epoxy_core.threads import thread_count

if TYPE_CHECKING:
    import duckdb

Opened = TypeVar("Opened")

LOCK_PATIENCE = 30.0
"""Seconds to wait for another process to let go of the file."""

MEMORY_LIMIT = "2GB"
"""What DuckDB may take; beyond it, it works in a folder beside the file."""

LOG_LIMIT = "1GB"
"""Size of the write-ahead log from which a commit, not the closing, brings it into the file."""

_closing: dict[str, Future[None]] = {}
"""Files that a thread is closing."""

_names = count()


class OutOfStepError(Exception):
    """A table is not what is held of it in memory: someone else has written it."""


class Database:
    """The tables of one task (``epoxy_core.storage.schema``).

    A connection is held only inside ``read`` and ``write``, since DuckDB locks its file against
    other processes for as long as one is open. ``write`` is one transaction: a reader, or the
    next run after a crash, finds all of it or nothing of it.

    Parameters
    ----------
    path
        The file.
    patience
        Seconds to wait for another process to let go of it.
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
            connection.execute(f"SET checkpoint_threshold = '{LOG_LIMIT}'")
            connection.begin()
            self._make_tables(connection)
            yield connection
            connection.commit()
        finally:
            connection.close()

    @contextmanager
    def write_quickly(
        self,
    ) -> Iterator[tuple["duckdb.DuckDBPyConnection", "duckdb.DuckDBPyConnection"]]:
        """The same where all tables are there, and milliseconds count; for two threads.

        Whoever uses the second connection commits there, before the end: only what nobody reads
        without what the first one writes belongs there.

        The file is attached to a database in memory that stays: to make one takes longer than most
        commits. And what was committed is moved from the log to its place in the file by a thread,
        which then lets go of the file. The next access waits for it; after a crash, it finds the
        log.

        Raises
        ------
        EpoxyError
            As `read`.
        """
        import duckdb

        self._must_exist()
        connection, name = _in_memory().cursor(), f"file_{next(_names)}"
        self._patiently(lambda: connection.execute(f"ATTACH {_quoted(self.path)} AS {name}"))
        other = connection.cursor()
        try:
            for each in (connection, other):
                each.execute(f"USE {name}")
                each.begin()
            yield connection, other
            connection.commit()
        except BaseException:
            other.close()
            with suppress(duckdb.TransactionException):  # it has ended, or never begun
                connection.rollback()
            _detach(connection, name)
            raise
        other.close()
        closer = ThreadPoolExecutor(1, thread_name_prefix="closing")
        _closing[str(self.path)] = closer.submit(_detach, connection, name)
        closer.shutdown(wait=False)

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
        with duckdb.connect(config=_config()) as connection:
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

    def _make_tables(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Make the tables that are not there; refuse a file that another version wrote."""
        found = set(
            connection.execute("SELECT table_name, column_name FROM duckdb_columns()").fetchall()
        )
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
        for table in TABLES:
            if table.name not in tables:
                connection.execute(table.ddl)

    def _must_exist(self) -> None:
        if not self.path.is_file():
            raise EpoxyError(
                "no results yet", where=str(self.path), remedy="`epoxy run TASK` makes them."
            )

    def _connect(self, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        config = {**_config(), "temp_directory": f"{self.path}.tmp"}
        return self._patiently(
            lambda: duckdb.connect(str(self.path), read_only=read_only, config=config)
        )

    def _patiently(self, attempt: Callable[[], Opened]) -> Opened:
        """Open the file, waiting for other processes to let go of it."""
        import duckdb

        if closing := _closing.get(str(self.path)):
            closing.result()
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
                time.sleep(0.02)


def _config() -> dict[str, str | bool | int | float | list[str]]:
    return {"memory_limit": MEMORY_LIMIT, "threads": thread_count()}


@cache
def _in_memory() -> "duckdb.DuckDBPyConnection":
    import duckdb

    place = {"temp_directory": str(Path(tempfile.gettempdir()) / "epoxy.tmp")}
    atexit.register(_in_memory.cache_clear)
    return duckdb.connect(config={**_config(), **place, "checkpoint_threshold": LOG_LIMIT})


def _detach(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    connection.execute(f"USE memory; DETACH {name}")
    connection.close()


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


def add(
    connection: "duckdb.DuckDBPyConnection", name: str, rows: pl.DataFrame, **constants: Any
) -> None:
    """Append rows to a table within the caller's transaction; some columns are the same in all."""
    if rows.is_empty():
        return
    columns = [column.name for column in BY_NAME[name].columns]
    values = ", ".join("?" if column in constants else column for column in columns)
    connection.register("incoming", rows.to_arrow())
    connection.execute(
        f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM incoming",
        [constants[column] for column in columns if column in constants],
    )
    connection.unregister("incoming")


def drop(
    connection: "duckdb.DuckDBPyConnection",
    name: str,
    item_ids: pl.Series,
    where: str = "true",
    *values: Any,
) -> None:
    """Delete the rows of these items, one each, that match ``where``.

    Raises
    ------
    OutOfStepError
        If there are more or fewer.
    """
    if not len(item_ids):
        return
    connection.register("outgoing", item_ids.alias("item_id").to_frame().to_arrow())
    ((n,),) = connection.execute(
        f"DELETE FROM {name} WHERE item_id IN (SELECT item_id FROM outgoing) AND {where}",
        list(values),
    ).fetchall()
    connection.unregister("outgoing")
    if n != len(item_ids):
        raise OutOfStepError(name)
