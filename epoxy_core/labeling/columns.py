"""Labeling functions on the whole frame: columns that Polars expressions give, read as votes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.result import (
    MAX_ERRORS,
    LFError,
    LFResult,
    described,
    failed,
    result_of,
)
from epoxy_core.labeling.symbols import chance
from epoxy_core.labeling.votes import ABSTAIN, ROUNDING, InvalidVoteError, VoteReader

_INVALID = -2
_FIELDS = {"vote", "probability"}


class _NoVotesError(Exception):
    """A column that cannot be read as votes at all."""


def select(items: pl.DataFrame, expressions: dict[int, pl.Expr]) -> dict[int, pl.Series | str]:
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
            return {next(iter(expressions)): described(error)}
        found: dict[int, pl.Series | str] = {}
        for position, expression in expressions.items():
            found |= select(items, {position: expression})
        return found
    return {position: frame[str(position)] for position in expressions}


def votes_of_column(
    lf: LabelingFunction, column: pl.Series, items: pl.DataFrame, classes: Sequence[str]
) -> LFResult:
    """Read a column, or a struct of the fields ``vote`` and ``probability``, as votes.

    A value that is no vote is an error of its item; a column of another type, of all items.
    """
    reader = VoteReader(classes)
    try:
        column, claims = _fields(lf, column)
        votes = _codes(lf, column, reader)
        claimed = None if claims is None else _claimed(claims)
    except _NoVotesError as error:
        return failed(items, str(error))
    no_vote = votes == _INVALID
    wrong = np.flatnonzero(
        no_vote if claimed is None else no_vote | _unfounded(votes, claimed, reader)
    )
    errors = []
    for row in wrong[:MAX_ERRORS].tolist():
        if no_vote[row] or claims is None:
            problem = reader.no_vote(column[row])
        else:
            problem = _unfounded_text(reader, int(votes[row]), claims[row])
        errors.append(LFError(str(items["item_id"][row]), problem))
    votes[wrong] = ABSTAIN
    if claimed is None:
        return LFResult(votes, errors, len(wrong))
    strength = np.where(votes >= 0, claimed, 1).astype(np.float32)
    return result_of(votes, strength, errors, len(wrong))


def _fields(lf: LabelingFunction, column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The votes, and the probabilities claimed for them if there are any."""
    if isinstance(column.dtype, pl.Struct):
        names = {field.name for field in column.dtype.fields}
        if names != _FIELDS:
            raise _NoVotesError(
                f"gives a struct of {', '.join(sorted(names))}; its fields must be vote and "
                "probability"
            )
        if lf.probability is not None:
            raise _NoVotesError("gives probabilities and has probability=, too; remove one")
        return column.struct.field("vote"), column.struct.field("probability")
    if lf.probability is None:
        return column, None
    return column, pl.repeat(lf.probability, len(column), dtype=pl.Float64, eager=True)


def _codes(lf: LabelingFunction, column: pl.Series, reader: VoteReader) -> npt.NDArray[np.int8]:
    """Symbols, int8 [n]; `_INVALID` for a value that is no vote."""
    dtype = column.dtype
    names = pl.Series(reader.classes, dtype=pl.String)
    if dtype == pl.Null:
        return np.full(len(column), ABSTAIN, np.int8)
    if lf.vote is not None:
        symbol = reader.symbol(lf.vote)
        if symbol is None:
            raise _NoVotesError(f"has vote={lf.vote!r}, which is no class of the task")
        if dtype != pl.Boolean:
            raise _NoVotesError(f"gives {dtype}; with vote={lf.vote!r} it must give a Boolean")
        return np.where(column.fill_null(False).to_numpy(), symbol, ABSTAIN).astype(np.int8)
    if dtype.is_integer():
        whole = column.cast(pl.Int128)  # UInt64 does not fit in less
        codes = whole.set(~whole.is_between(ABSTAIN, len(names) - 1), _INVALID).cast(pl.Int8)
    elif dtype in (pl.String, pl.Categorical, pl.Enum):
        codes = column.cast(pl.String).replace_strict(
            names, pl.Series(range(len(names))), default=_INVALID, return_dtype=pl.Int8
        )
    else:
        remedy = " give it vote='class'" if dtype == pl.Boolean else " give names or indices"
        raise _NoVotesError(f"gives {dtype}, which is not a vote;{remedy}")
    return codes.set(column.is_null(), ABSTAIN).to_numpy().copy()


def _claimed(claims: pl.Series) -> npt.NDArray[np.float64]:
    """Probabilities, float64 [n], NaN where there is none."""
    if not claims.dtype.is_numeric() and claims.dtype != pl.Null:
        raise _NoVotesError(f"gives {claims.dtype} for the probability, which must be a number")
    return claims.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _unfounded(
    votes: npt.NDArray[np.int8], claimed: npt.NDArray[np.float64], reader: VoteReader
) -> npt.NDArray[np.bool_]:
    """Votes whose probability is none, or below that of a guess."""
    least = chance(votes, len(reader.classes)) - ROUNDING
    founded = (claimed > 0) & (claimed <= 1) & (claimed >= least)
    return np.asarray((votes >= 0) & ~founded)


def _unfounded_text(reader: VoteReader, symbol: int, claim: float | None) -> str:
    try:
        reader.check(symbol, claim)
    except InvalidVoteError as error:
        return str(error)
    raise AssertionError(symbol, claim)
