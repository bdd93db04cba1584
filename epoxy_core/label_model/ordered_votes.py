"""Votes of ordered items, collapsed to what a chain has to tell apart."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import Floats, Votes, vote_patterns

Ids = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


class OrderedVotes(NamedTuple):
    """Items in time order, as distinct rows of symbols and of how each follows the one before.

    A symbol is a vote, or K for the silence of an LF whose silence speaks.

    Attributes
    ----------
    order
        int [n], so that ``votes[order]`` is in time order.
    starts
        bool [n], whether a sequence starts here.
    inverse
        int [n], the distinct row of each item, in time order.
    cast
        Sparse [p, m·3·(K + 1)], a one at (LF, how, symbol) for each symbol in a distinct row. How
        is 0 where the LF showed none on the item before or a sequence starts, 1 where it showed
        another, 2 where it showed the same.
    """

    order: npt.NDArray[np.intp]
    starts: Flags
    inverse: npt.NDArray[np.intp]
    cast: Any

    def head(self, n: int) -> Self:
        """The first n items."""
        order, starts, inverse, cast = self
        return type(self)(order[:n], starts[:n], inverse[:n], cast)

    def tally(self, responsibility: Floats) -> Floats:
        """Sum float64 [n, K] over items: float64 [m, 3, K + 1, K]."""
        p, k = self.cast.shape[0], responsibility.shape[1]
        sums = [np.bincount(self.inverse, column, minlength=p) for column in responsibility.T]
        return np.asarray(self.cast.T @ np.stack(sums, axis=1)).reshape(-1, 3, k + 1, k)


def order_votes(votes: Votes, sequences: Ids, detectors: Flags, n_classes: int) -> OrderedVotes:
    """Bring items in order, sequence by sequence.

    Parameters
    ----------
    votes
        int8 [n, m].
    sequences
        int [n], the sequence of each item.
    detectors
        bool [m], LFs whose silence is a symbol.
    n_classes
        K.

    Raises
    ------
    EpoxyError
        If there is not one sequence number per item.
    """
    if np.shape(sequences) != (len(votes),):
        raise EpoxyError(
            f"{np.size(sequences)} sequence numbers for {len(votes)} items",
            where="sequences",
            remedy="Give each item the number of its sequence.",
        )
    symbols = n_classes + 1
    order = np.argsort(sequences, kind="stable")
    ids = np.asarray(sequences)[order]
    shown = votes[order].astype(np.int16)
    np.copyto(shown, np.int16(n_classes), where=(shown < 0) & detectors)
    starts = np.ones(len(ids), dtype=np.bool_)
    starts[1:] = ids[1:] != ids[:-1]
    follows = (shown[1:] >= 0) & (shown[:-1] >= 0) & ~starts[1:, None]
    how = follows.astype(np.int16) + (follows & (shown[1:] == shown[:-1]))
    code = shown.copy()
    code[1:] += np.int16(symbols) * how
    patterns, inverse, _ = vote_patterns(code)  # type: ignore[arg-type]  # wider than votes
    return OrderedVotes(order, starts, inverse, _one_hot(patterns, 3 * symbols))


def detecting(votes: Votes) -> Flags:
    """Tell the LFs that vote, and one class only: bool [m]."""
    voted = votes >= 0
    lowest = np.where(voted, votes, np.int8(127)).min(axis=0, initial=127)
    return np.asarray(voted.any(axis=0) & (lowest == votes.max(axis=0, initial=-1)))


def _one_hot(patterns: npt.NDArray[np.integer[Any]], width: int) -> Any:
    from scipy.sparse import csr_array

    rows, lfs = np.nonzero(patterns >= 0)
    columns = lfs * width + patterns[rows, lfs]
    shape = (len(patterns), patterns.shape[1] * width)
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
