"""Votes of ordered items, collapsed to what a chain has to tell apart."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.patterns import vote_patterns
from epoxy_core.label_model.unique_votes import UniqueVotes
from epoxy_core.labeling import beyond_chance, chance

Ids = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


class OrderedVotes(NamedTuple):
    """Items in time order, as distinct rows of symbols and of how each follows the one before.

    A symbol is one of S a vote can be, or S for the silence of an LF whose silence speaks.

    Attributes
    ----------
    order
        int [n], so that ``votes[order]`` is in time order.
    starts
        bool [n], whether a sequence starts here.
    inverse
        int [n], the distinct row of each item, in time order.
    cast
        Sparse [p, m·3·(S + 1)], a one at (LF, how, symbol) for each symbol in a distinct row; of
        a soft vote, the share beyond chance that it claims. How is 0 where the LF showed none on
        the item before or a sequence starts, 1 where it showed another, 2 where the same.
    n_symbols
        S.
    """

    order: npt.NDArray[np.intp]
    starts: Flags
    inverse: npt.NDArray[np.intp]
    cast: Any
    n_symbols: int

    def head(self, n: int) -> Self:
        """The first n items."""
        order, starts, inverse, cast, n_symbols = self
        return type(self)(order[:n], starts[:n], inverse[:n], cast, n_symbols)

    def tally(self, responsibility: Floats) -> Floats:
        """Sum float64 [n, K] over items: float64 [m, 3, S + 1, K]."""
        p, k = self.cast.shape[0], responsibility.shape[1]
        sums = [np.bincount(self.inverse, column, minlength=p) for column in responsibility.T]
        tally = np.asarray(self.cast.T @ np.stack(sums, axis=1))
        return tally.reshape(-1, 3, self.n_symbols + 1, k)


def order_votes(unique: UniqueVotes, sequences: Ids, speaks: Flags, n_symbols: int) -> OrderedVotes:
    """Bring items in order, sequence by sequence.

    Parameters
    ----------
    unique
        Their votes.
    sequences
        int [n], the sequence of each item.
    speaks
        bool [m], LFs whose silence is a symbol.
    n_symbols
        S, at least as many as in these votes.

    Raises
    ------
    EpoxyError
        If there is not one sequence number per item.
    """
    n, m = len(unique.inverse), unique.patterns.shape[1]
    if np.shape(sequences) != (n,):
        raise EpoxyError(
            f"{np.size(sequences)} sequence numbers for {n} items",
            where="sequences",
            remedy="Give each item the number of its sequence.",
        )
    order = np.argsort(sequences, kind="stable")
    ids, row = np.asarray(sequences)[order], unique.inverse[order].astype(np.intp)
    shown = unique.patterns.copy()
    np.copyto(shown, np.int8(n_symbols), where=(shown < 0) & speaks)
    starts = np.ones(n, dtype=np.bool_)
    starts[1:] = ids[1:] != ids[:-1]
    now, before = shown[row[1:]], shown[row[:-1]]
    follows = (now >= 0) & (before >= 0) & ~starts[1:, None]
    how = np.zeros((n, m), dtype=np.int8)
    how[1:] = follows.astype(np.int8) + (follows & (now == before))
    ways = vote_patterns(how)
    code = row.astype(np.int64) * max(len(ways.patterns), 1) + ways.inverse
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    cast = _one_hot(unique, speaks, n_symbols, row[first], how[first])
    return OrderedVotes(order, starts, inverse.astype(np.intp, copy=False), cast, n_symbols)


def _one_hot(
    unique: UniqueVotes,
    speaks: Flags,
    n_symbols: int,
    rows: npt.NDArray[np.intp],
    how: npt.NDArray[np.int8],
) -> Any:
    """Symbols of some distinct rows, at the place of how they follow."""
    from scipy.sparse import csr_array

    votes = unique.patterns[rows]
    shown = np.where((votes < 0) & speaks, n_symbols, votes.astype(np.intp))
    at, lfs = np.nonzero(shown >= 0)
    parts = np.ones(len(at))
    if unique.strength is not None:
        guess = chance(votes[at, lfs], unique.n_classes)
        parts = beyond_chance(unique.strength[rows][at, lfs].astype(np.float64), guess)
    columns = (lfs * 3 + how[at, lfs]) * (n_symbols + 1) + shown[at, lfs]
    shape = (len(rows), how.shape[1] * 3 * (n_symbols + 1))
    return csr_array((parts, (at, columns)), shape=shape)
