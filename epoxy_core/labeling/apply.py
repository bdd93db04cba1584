"""Run labeling functions over items: votes, and an account of every error."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling.lf import ABSTAIN, LabelingFunction

MAX_ERRORS = 10
_INVALID = -2


class LFError(NamedTuple):
    """One error of a labeling function; without an item, of a whole expression."""

    item_id: str | None
    error: str


@dataclass(frozen=True)
class LFResult:
    """Votes of one labeling function.

    Parameters
    ----------
    votes
        int8 [n], −1 = abstain; an item with an error abstains.
    errors
        The first errors, at most ten.
    n_errors
        Number of items with an error.
    """

    votes: npt.NDArray[np.int8]
    errors: list[LFError] = field(default_factory=list)
    n_errors: int = 0

    @property
    def error_share(self) -> float:
        """Share of the items with an error; 0 without items."""
        return self.n_errors / len(self.votes) if len(self.votes) else 0.0

    def describe_errors(self) -> str:
        """Say on how many items it fails, and show the first error."""
        first = self.errors[0]
        item = "" if first.item_id is None else f", first on {first.item_id!r}"
        return f"fails on {self.n_errors} of {len(self.votes)} items{item}: {first.error}"


def apply_labeling_function(
    lf: LabelingFunction, items: pl.DataFrame, classes: Sequence[str]
) -> LFResult:
    """Votes of one labeling function on ``items``.

    An item on which the function raises, or returns something that is neither a class nor an
    abstain, abstains and is reported. An expression that fails as a whole is an error of every
    item. Nothing is raised but ``KeyboardInterrupt`` and its like.

    Parameters
    ----------
    items
        The items frame, n rows, with a column ``item_id``.
    classes
        Class names in order.
    """
    return apply_labeling_functions([lf], items, classes)[0]


def apply_labeling_functions(
    lfs: Sequence[LabelingFunction], items: pl.DataFrame, classes: Sequence[str]
) -> list[LFResult]:
    """Votes of several labeling functions, in order; all expressions run as one Polars query."""
    results: dict[int, LFResult] = {}
    expressions: dict[int, pl.Expr] = {}
    for position, lf in enumerate(lfs):
        if lf.kind == "item":
            results[position] = _call_per_item(lf, items, classes)
            continue
        try:
            expressions[position] = lf.expression().alias(str(position))
        except (Exception, SystemExit) as error:
            results[position] = _failed(items, _described(error))
    for position, column in _select(items, expressions).items():
        results[position] = (
            _failed(items, column)
            if isinstance(column, str)
            else _votes(lfs[position], column, items, classes)
        )
    return [results[position] for position in range(len(lfs))]


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


def _call_per_item(lf: LabelingFunction, items: pl.DataFrame, classes: Sequence[str]) -> LFResult:
    positions = {name: index for index, name in enumerate(classes)}
    n_classes, function = len(classes), lf.function
    votes = np.full(items.height, ABSTAIN, np.int8)
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
            report(row, _described(error))
            continue
        if vote is None:
            continue
        if type(vote) is str:
            vote = positions.get(vote, vote)
        elif isinstance(vote, np.integer) or (isinstance(vote, int) and type(vote) is not bool):
            vote = int(vote)
        if type(vote) is int and ABSTAIN <= vote < n_classes:
            votes[row] = vote
        else:
            report(row, _not_a_vote(vote, classes))
    return LFResult(votes, errors, n_errors)


def _select(items: pl.DataFrame, expressions: dict[int, pl.Expr]) -> dict[int, pl.Series | str]:
    """Evaluate together; one by one if that fails, so that each failure is its own."""
    if not expressions:
        return {}
    rows = pl.col("item_id").alias("rows")  # gives a constant the frame's height
    try:
        query = items.lazy().select(rows, *expressions.values())
        # The streaming engine would repeat a column of another height, such as a filtered one.
        frame = query.collect(engine="in-memory")
    except Exception as error:
        if len(expressions) == 1:
            return {next(iter(expressions)): _described(error)}
        found: dict[int, pl.Series | str] = {}
        for position, expression in expressions.items():
            found |= _select(items, {position: expression})
        return found
    return {position: frame[str(position)] for position in expressions}


def _votes(
    lf: LabelingFunction, column: pl.Series, items: pl.DataFrame, classes: Sequence[str]
) -> LFResult:
    dtype = column.dtype
    names = pl.Series(list(classes), dtype=pl.String)
    if dtype == pl.Boolean and lf.vote is not None:
        vote = names.to_list().index(lf.vote) if isinstance(lf.vote, str) else lf.vote
        return LFResult(np.where(column.fill_null(False).to_numpy(), vote, ABSTAIN).astype(np.int8))
    if lf.vote is not None and dtype != pl.Null:
        return _failed(items, f"gives {dtype}; with vote={lf.vote!r} it must give a Boolean")
    if dtype.is_integer():
        whole = column.cast(pl.Int128)  # UInt64 does not fit in less
        codes = whole.set(~whole.is_between(ABSTAIN, len(classes) - 1), _INVALID).cast(pl.Int8)
    elif dtype in (pl.String, pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
        codes = column.replace_strict(
            names, pl.Series(range(len(classes))), default=_INVALID, return_dtype=pl.Int8
        )
    elif dtype == pl.Null:
        return LFResult(np.full(items.height, ABSTAIN, np.int8))
    else:
        remedy = " give it vote='class'" if dtype == pl.Boolean else " give names or indices"
        return _failed(items, f"gives {dtype}, which is not a vote;{remedy}")
    coded = codes.set(column.is_null(), ABSTAIN).to_numpy().copy()
    wrong = np.flatnonzero(coded == _INVALID)
    errors = [
        LFError(str(items["item_id"][row]), _not_a_vote(column[row], classes))
        for row in wrong[:MAX_ERRORS].tolist()
    ]
    coded[wrong] = ABSTAIN
    return LFResult(coded, errors, len(wrong))


def _failed(items: pl.DataFrame, text: str) -> LFResult:
    return LFResult(
        np.full(items.height, ABSTAIN, np.int8), [LFError(None, text)], n_errors=items.height
    )


def _not_a_vote(vote: Any, classes: Sequence[str]) -> str:
    shown = repr(vote) if len(repr(vote)) <= 80 else f"{repr(vote)[:79]}…"
    return (
        f"returned {shown} ({type(vote).__name__}); allowed are the classes "
        f"{', '.join(map(repr, classes))}, their indices 0 to {len(classes) - 1}, and None or "
        f"ABSTAIN (-1){'; a bool is ambiguous' if isinstance(vote, bool) else ''}"
    )


def _described(error: BaseException) -> str:
    """Describe an error and where it was raised, with a hint for Polars' texts that are columns."""
    text = " ".join(str(error).partition("\n\n")[0].split())[:300]
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).parent)
    inner = next((one for one in reversed(frames) if not one.filename.startswith(here)), None)
    if isinstance(error, pl.exceptions.PolarsError):
        hint = isinstance(error, pl.exceptions.ColumnNotFoundError)
        text += "; a text constant is pl.lit('…')" if hint else ""
        inner = None
    return f"{type(error).__name__}: {text}{f' ({inner.filename}:{inner.lineno})' if inner else ''}"
