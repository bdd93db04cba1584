"""Items in time order, by two columns of the source."""

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.in_order import ItemOrder
from epoxy_core.task import TASK_FILE, Task


def item_order(task: Task, items: pl.DataFrame) -> ItemOrder | None:
    """The order that ``label_model.sequence`` gives; None if the task has none.

    Text that is a number in every row is ordered as a number (frame 10 after frame 9). Items of
    the same place in their sequence stay in the order of the frame.

    Parameters
    ----------
    task
        Names the columns.
    items
        The items frame.

    Raises
    ------
    EpoxyError
        If there is no such column, or an item has no value in it.
    """
    sequence = task.sequence
    if sequence is None:
        return None
    ids = sequence_ids(task, items, sequence.by)
    place = _column(task, items, sequence.order)
    if place.dtype == pl.String:
        number = place.cast(pl.Float64, strict=False)
        place = place if number.null_count() else number
    rank = place.rank("dense").to_numpy()
    rows = np.lexsort((rank, ids))
    return ItemOrder(rows, ids[rows])


def sequence_ids(task: Task, items: pl.DataFrame, column: str) -> npt.NDArray[np.int64]:
    """Number the sequences of items, int64 [n]; ``column`` names them.

    Raises
    ------
    EpoxyError
        If there is no such column, or an item has no value in it.
    """
    names = _column(task, items, column)
    return names.cast(pl.String).rank("dense").to_numpy().astype(np.int64)


def _column(task: Task, items: pl.DataFrame, name: str) -> pl.Series:
    where = f"{task.folder / TASK_FILE}: label_model.sequence"
    if name not in items.columns:
        raise EpoxyError(
            f"the items have no column {name!r}",
            where=where,
            remedy=f"Name two of {', '.join(items.columns)}.",
        )
    if items[name].null_count():
        lacking = items.filter(pl.col(name).is_null())
        raise EpoxyError(
            f"{lacking.height} items have no {name!r}, first {lacking['item_id'][0]}",
            where=where,
            remedy="Give every item its sequence and its place there.",
        )
    return items[name]
