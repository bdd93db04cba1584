"""The items as the neighbour graph and the extension need them."""

import polars as pl

from epoxy_core.borrow_scope import borrow_scope, sequence_column
from epoxy_core.neighbors import Scope
from epoxy_core.storage.database import Database
from epoxy_core.task import Task


def items_in_scope(task: Task, database: Database) -> tuple[pl.DataFrame, Scope | None]:
    """Items by ascending id, with ``content_hash``, and who of them may borrow from whom."""
    columns = "* EXCLUDE (text)" if sequence_column(task) else "item_id, content_hash"
    items = database.query(f"SELECT {columns} FROM items ORDER BY item_id")
    return items, borrow_scope(task, items)


def scope_settings(task: Task) -> list[str | None]:
    """What of the settings decides who may borrow from whom."""
    return [task.extension.borrow_from, sequence_column(task)]
