"""The items that labeling functions of one item see: light objects, made many at a time."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import repeat
from typing import Any

import polars as pl


class Columns(dict[str, list[Any]]):
    """Columns of some rows as Python lists, each made when it is first read.

    Parameters
    ----------
    names
        All columns that there are.
    load
        Gives the rows of a column.
    """

    def __init__(self, names: Sequence[str], load: Callable[[str], pl.Series]) -> None:
        super().__init__()
        self.names = names
        self.nested = False
        self._load = load

    def __missing__(self, name: str) -> list[Any]:
        if name not in self.names:
            raise KeyError(f"no column {name!r}; the items have {', '.join(self.names)}")
        column = self._load(name)
        self.nested |= column.dtype.is_nested() or column.dtype == pl.Object
        self[name] = column.to_list()
        return self[name]


class ItemViews:
    """Makes items of a table: ``x.text``, ``x["text"]`` read a column's value.

    Parameters
    ----------
    names
        The table's columns.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._known = [name for name in names if name.isidentifier()]
        place = "_place"
        while place in names:
            place += "_"
        self._class, self._put_place = _item_class(self._names, self._known, place)

    def views(self, columns: Columns, n: int, read: Collection[str] = ()) -> list[Any]:
        """Items of n rows; the columns ``read`` are at hand at once, the others when asked for."""
        items: list[Any] = list(map(object.__new__, repeat(self._class, n)))
        _all(map(self._put_place, items, zip(repeat(columns), range(n), strict=False)))
        for name in self._known:
            if name in read:
                _all(map(getattr(self._class, name).__set__, items, columns[name]))
        return items


def _item_class(
    names: Sequence[str], known: Sequence[str], place: str
) -> tuple[type, Callable[[Any, Any], None]]:
    """The class of a table's items, and what says to one of them where it is."""

    class Item:
        __slots__ = (place, *known)

        def __getitem__(self, name: str) -> Any:
            columns, row = place_of(self)
            return columns[name][row]

        def __getattr__(self, name: str) -> Any:
            if name not in names:
                raise AttributeError(f"no column {name!r}; the items have {', '.join(names)}")
            columns, row = place_of(self)
            return columns[name][row]

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(f"an item cannot be changed (column {name!r})")

        def __repr__(self) -> str:
            return f"Item({ {name: self[name] for name in names} })"

    descriptor = vars(Item)[place]
    place_of: Callable[[Any], tuple[Columns, int]] = descriptor.__get__
    return Item, descriptor.__set__


def _all(calls: Iterable[None]) -> None:
    deque(calls, maxlen=0)
