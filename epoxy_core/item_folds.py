"""Which items a classifier must not learn from when it judges an item."""

import numpy as np
import polars as pl

from epoxy_core.item_order import item_order
from epoxy_core.task import Task

ENOUGH_SEQUENCES = 10
"""With fewer, leaving out whole ones leaves too little, or one class only."""
BLOCKS = 10
"""Stretches of time into which a sequence is cut then."""


def fold_columns(task: Task) -> list[str]:
    """Columns of the items frame that `fold_keys` reads."""
    sequence = task.sequence
    return ["content_hash", *((sequence.by, sequence.order) if sequence else ())]


def fold_keys(task: Task, items: pl.DataFrame) -> list[str]:
    """Keys for `assign_folds`: items that are nearly the same must not be on both sides.

    Copies of a text share their content hash. One frame of a video is all but the next one, so
    the items of a sequence stay together; where sequences are few, long stretches of them.

    Parameters
    ----------
    task
        Says whether items are in order.
    items
        n rows with the columns `fold_columns`.

    Returns
    -------
    list of str, of length n
    """
    sequence, order = task.sequence, item_order(task, items)
    if sequence is None or order is None:
        return items["content_hash"].to_list()
    names = items[sequence.by].cast(pl.String).to_list()
    _, first, length = np.unique(order.sequences, return_index=True, return_counts=True)
    if len(first) >= ENOUGH_SEQUENCES:
        return names
    place = np.arange(len(names)) - np.repeat(first, length)
    block = np.empty(len(names), np.int64)
    block[order.rows] = place * BLOCKS // np.repeat(length, length)
    return [f"{name}#{part}" for name, part in zip(names, block, strict=True)]
