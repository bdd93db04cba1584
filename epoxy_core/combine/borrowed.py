"""What borrowed votes add to the label model's probabilities, in one pass over the items."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.combine.combined import ByPattern
from epoxy_core.combine.votes import Floats, VoteColumns, Votes
from epoxy_core.extension import BorrowedVoteCalibration, read_only
from epoxy_core.threads import by_rows

_ROWS_AT_ONCE = 16_384  # whose probabilities stay in cache while LF after LF is counted


class Counted(NamedTuple):
    """Items after all votes that count.

    Attributes
    ----------
    posterior
        float64 [n, K].
    reached
        bool [n]: an own or a counted borrowed vote, or in a sequence with votes.
    borrows
        bool [n]: a counted borrowed vote, and no own one.
    labels
        int8 [n], the most probable class where reached, else −1.
    n_counted
        int64 [m], how many votes count.
    """

    posterior: Floats
    reached: npt.NDArray[np.bool_]
    borrows: npt.NDArray[np.bool_]
    labels: Votes
    n_counted: npt.NDArray[np.int64]


def count_votes(
    votes: VoteColumns,
    own: ByPattern,
    covered: npt.NDArray[np.bool_],
    pattern: npt.NDArray[np.int32],
    thresholds: Floats,
    calibration: BorrowedVoteCalibration,
    in_sequence: npt.NDArray[np.bool_],
) -> Counted:
    """Count own votes, and borrowed ones by what they are worth: on items without own votes.

    As `extended_posterior` does with `BorrowedVoteCalibration.weight`, multiplying odds.

    Parameters
    ----------
    votes
        The votes.
    own
        The label model's probabilities.
    covered, pattern
        bool [p] and int32 [n]: distinct rows of own votes that have any, and each item's row.
    thresholds
        float64 [m], least similarity at which a borrowed vote counts.
    calibration
        Fitted.
    in_sequence
        bool [n], items that are reached without votes.
    """
    from epoxy_core.combine import kernels

    n, k = votes.n, own.values.shape[1]
    posterior, labels = np.empty((n, k)), np.empty(n, np.int8)
    reached = in_sequence * np.uint8(kernels.ASKED_FOR)
    columns = [
        (read_only(of_own), read_only(extended), read_only(similarity))
        for of_own, extended, similarity in zip(
            votes.own, votes.extended, votes.similarity, strict=True
        )
    ]
    plain = [claims is None for claims in votes.strength]
    curves = [curve if plain[lf] else curve[:0] for lf, curve in enumerate(calibration.curve_)]
    parts = []

    def work(first: int, last: int) -> None:
        counted = np.zeros(len(columns), np.int64)
        for top in range(first, last, _ROWS_AT_ONCE):
            end = min(top + _ROWS_AT_ONCE, last)
            posterior[top:end] = own.values[own.row[top:end]]
            for lf, (of_own, extended, similarity) in enumerate(columns):
                counted[lf] += kernels.count_borrowed(
                    of_own,
                    extended,
                    similarity,
                    thresholds[lf],
                    covered,
                    pattern,
                    curves[lf],
                    top,
                    end,
                    reached,
                    posterior,
                )
                if not plain[lf]:
                    _multiply(votes, lf, slice(top, end), reached, calibration, posterior)
            kernels.settle(reached, posterior, top, end, labels)
        parts.append(counted)

    by_rows(n, work)
    n_counted = np.stack(parts).sum(axis=0)
    borrows = reached & kernels.BORROWS != 0
    return Counted(posterior, reached != 0, borrows, labels, n_counted)


def _multiply(
    votes: VoteColumns,
    lf: int,
    rows: slice,
    reached: npt.NDArray[np.uint8],
    calibration: BorrowedVoteCalibration,
    odds: Floats,
) -> None:
    """Multiply the odds of items that borrow soft votes of an LF, which is not done yet."""
    from epoxy_core.combine import kernels

    at = rows.start + np.flatnonzero(reached[rows] & kernels.SOFT)
    reached[at] &= ~np.uint8(kernels.SOFT)
    cast, claims = votes.extended[lf][at], votes.strength[lf]
    assert claims is not None
    weights = calibration.weight_of(lf, votes.similarity[lf][at], cast, claims[at])
    odds[at, cast % odds.shape[1]] *= np.exp(weights)
