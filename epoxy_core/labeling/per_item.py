"""Labeling functions of one item: the item they see, and a call for each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.result import MAX_ERRORS, LFError, LFResult, described, result_of
from epoxy_core.labeling.votes import ABSTAIN, InvalidVoteError, VoteReader


class _Columns(dict[str, list[Any]]):
    """Columns as Python lists, each made when it is first read."""

    def __init__(self, items: pl.DataFrame) -> None:
        super().__init__()
        self._items = items

    def __missing__(self, name: str) -> list[Any]:
        if name not in self._items.columns:
            raise KeyError(f"no column {name!r}; the items have {', '.join(self._items.columns)}")
        self[name] = self._items[name].to_list()
        return self[name]


def item_views(items: pl.DataFrame) -> Iterator[Any]:
    """One light object per row: ``x.text``, ``x["text"]`` read a column's value there."""
    columns = _Columns(items)

    class Item:
        __slots__ = ("_row",)

        def __init__(self, row: int) -> None:
            self._row = row

        def __getitem__(self, name: str) -> Any:
            return columns[name][self._row]

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"no column {name!r}; the items have {', '.join(items.columns)}")

        def __repr__(self) -> str:
            return f"Item({items.row(self._row, named=True)})"

    def reader(name: str) -> Callable[[Item], Any]:
        return lambda item: columns[name][item._row]

    for name in items.columns:
        setattr(Item, name, property(reader(name)))
    return map(Item, range(items.height))


def call_per_item(lf: LabelingFunction, items: pl.DataFrame, classes: Sequence[str]) -> LFResult:
    """Call a labeling function on every item and read what it returns."""
    positions = {name: index for index, name in enumerate(classes)}
    reader, n_classes, function = VoteReader(classes), len(classes), lf.function
    votes = np.full(items.height, ABSTAIN, np.int8)
    strength = np.ones(items.height, np.float32)
    errors: list[LFError] = []
    n_errors = 0

    def report(row: int, text: str) -> None:
        nonlocal n_errors
        n_errors += 1
        if n_errors <= MAX_ERRORS:
            errors.append(LFError(str(items["item_id"][row]), text))

    for row, item in enumerate(item_views(items)):
        try:
            vote = function(item)
        except (Exception, SystemExit) as error:
            report(row, described(error))
            continue
        if vote is None:
            continue
        if type(vote) is str and vote in positions:
            votes[row] = positions[vote]
            continue
        if type(vote) is int and ABSTAIN <= vote < n_classes:
            votes[row] = vote
            continue
        try:
            votes[row], strength[row] = reader.read(vote)
        except InvalidVoteError as error:
            report(row, str(error))
    return result_of(votes, strength, errors, n_errors)
