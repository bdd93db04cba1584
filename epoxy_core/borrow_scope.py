"""Whose votes an item of a task may borrow."""

import polars as pl

from epoxy_core.item_order import sequence_ids
from epoxy_core.neighbors import Scope
from epoxy_core.task import Task


def sequence_column(task: Task) -> str | None:
    """Column that names the sequence of an item; a video is one, in time order or not."""
    if task.sequence is not None:
        return task.sequence.by
    return "video" if task.video else None


def borrow_scope(task: Task, items: pl.DataFrame) -> Scope | None:
    """The items' sequences, and what ``extension.borrow_from`` makes of them.

    Parameters
    ----------
    task
        Names the column.
    items
        The items frame.

    Returns
    -------
    None where the items are in no sequences: anyone lends to anyone.

    Raises
    ------
    EpoxyError
        If there is no such column, or an item has no value in it.
    """
    column = sequence_column(task)
    if column is None:
        return None
    return Scope(sequence_ids(task, items, column), task.extension.borrow_from)
