"""Rules over a window of time, as Polars expressions: near, before, after, and for how long.

An item has a span in a sequence: a frame, shot or clip in its video, a turn in its conversation.
All expressions here look at one sequence at a time, take rows in any order, and can be nested.
Times are numbers of any unit, seconds for the columns of a video; bounds are inclusive, to a
millionth. An item without a sequence, start or end (null or NaN) is a sequence by itself.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.spans import Spans


def within(
    seconds: float,
    of: pl.Expr | str,
    by: str | Sequence[str] = "video",
    start: str = "start",
    end: str = "end",
) -> pl.Expr:
    """True of items that are at most ``seconds`` away from one where ``of`` is true, or are one.

    Spans that touch or overlap are 0 apart.

    Parameters
    ----------
    seconds
        Between the end of one item and the start of the other.
    of
        A Boolean expression, or a column's name; null counts as false.
    by
        The column, or columns, that name the sequence.
    start, end
        The columns of an item's span; the same one for items that are points in time.

    Raises
    ------
    EpoxyError
        If ``seconds`` is negative or no number.

    Examples
    --------
    >>> frames = pl.DataFrame({"video": "a", "start": [0, 1, 2, 3], "end": [1, 2, 3, 4],
    ...                        "black": [True, False, False, False]})
    >>> frames.select(within(1, of="black")).to_series().to_list()
    [True, True, True, False]
    """
    return _rule("within", seconds, of, by, start, end)


def after(
    seconds: float,
    of: pl.Expr | str,
    by: str | Sequence[str] = "video",
    start: str = "start",
    end: str = "end",
) -> pl.Expr:
    """True of items that begin at most ``seconds`` after the end of one where ``of`` is true.

    That one must have begun earlier, so no item is after itself. Parameters are as in `within`.
    """
    return _rule("after", seconds, of, by, start, end)


def before(
    seconds: float,
    of: pl.Expr | str,
    by: str | Sequence[str] = "video",
    start: str = "start",
    end: str = "end",
) -> pl.Expr:
    """True of items that end at most ``seconds`` before the start of one where ``of`` is true.

    That one must begin later, so no item is before itself. Parameters are as in `within`.
    """
    return _rule("before", seconds, of, by, start, end)


def lasts(
    seconds: float,
    of: pl.Expr | str,
    by: str | Sequence[str] = "video",
    start: str = "start",
    end: str = "end",
) -> pl.Expr:
    """True of items in an unbroken run of items where ``of`` is true, at least ``seconds`` long.

    The run lasts from its first start to its last end. An item where ``of`` is false or null
    breaks it; of items that begin together, one where it is false comes first. Parameters are
    as in `within`.
    """
    return _rule("lasts", seconds, of, by, start, end)


def rolling_mean(
    seconds: float,
    of: pl.Expr | str,
    by: str | Sequence[str] = "video",
    start: str = "start",
    end: str = "end",
) -> pl.Expr:
    """Mean over a window of time of that length, centred on the item.

    It takes in the items whose middle is at most ``seconds`` / 2 from the middle of this one. Of a
    Boolean it is the share of them where it is true. Values that are null, NaN or infinite are
    left out; null where none is left. Parameters are as in `within`, but ``of`` is a number.
    """
    return _rule("rolling_mean", seconds, of, by, start, end)


def _rule(
    rule: str, seconds: float, of: Any, by: str | Sequence[str], start: str, end: str
) -> pl.Expr:
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise EpoxyError(
            f"`{rule}` is given {seconds!r} for seconds",
            remedy=f"Write {rule}(2.5, of=…): a number from 0.",
        )
    keys = [by] if isinstance(by, str) else list(by)
    value = pl.col(of) if isinstance(of, str) else of
    return pl.map_batches(
        [value, pl.col(start), pl.col(end), *map(pl.col, keys)],
        functools.partial(_evaluate, rule=rule, seconds=seconds),
        return_dtype=pl.Float64 if rule == "rolling_mean" else pl.Boolean,
    )


def _evaluate(columns: Sequence[pl.Series], rule: str, seconds: float) -> pl.Series:
    of, start, end, *keys = columns
    if len(of) == 1 < len(start):  # a constant
        of = of.new_from_index(0, len(start))
    number = pl.Float64
    spans = Spans.of(
        _numbered(keys),
        start.cast(number).fill_null(math.nan).to_numpy(),
        end.cast(number).fill_null(math.nan).to_numpy(),
    )
    if rule == "rolling_mean":
        mean = spans.rolling_mean(seconds, of.cast(number).fill_null(math.nan).to_numpy())
        return pl.Series(of.name, mean).fill_nan(None)
    if of.dtype not in (pl.Boolean, pl.Null):
        raise TypeError(f"{rule} needs a Boolean, such as a comparison, and is given {of.dtype}")
    true = of.cast(pl.Boolean).fill_null(False).to_numpy()
    return pl.Series(of.name, getattr(spans, rule)(seconds, true))


def _numbered(keys: Sequence[pl.Series]) -> npt.NDArray[np.int64]:
    """A number for each sequence, int64 [n]; −1 where a key is null."""
    names = [str(position) for position in range(len(keys))]
    frame = pl.DataFrame([key.alias(name) for key, name in zip(keys, names, strict=True)])
    known = pl.all_horizontal(pl.col(names).is_not_null())
    first = pl.col("row").cast(pl.Int64).first().over(names)
    numbered = frame.with_row_index("row").select(pl.when(known).then(first).otherwise(-1))
    return numbered.to_series().to_numpy()
