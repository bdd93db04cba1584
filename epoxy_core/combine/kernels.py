"""One pass over the items and their borrowed votes, compiled."""

import numba
import numpy as np

VOTES, BORROWS, SOFT, ASKED_FOR = 1, 2, 4, 8
"""In ``reached``; see `count_borrowed`."""

LEAST, MOST = 1e-12, 1e150  # odds to start from at least, and before they are brought back


@numba.njit(cache=True, nogil=True)
def _factor(curve, similarity, vote, k):
    """What a borrowed vote multiplies the odds of the class by that it names."""
    middle = (len(curve) - 1) // 2
    place = (similarity + 1) * middle
    point = min(max(np.int64(np.floor(place)), np.int64(0)), np.int64(2 * middle - 1))
    part = min(max(place - point, 0.0), 1.0)
    accuracy = curve[point] + part * (curve[point + 1] - curve[point])
    if vote < k:
        return accuracy * (k - 1) / (1 - accuracy)
    return (k - 1) * (1 - accuracy) / (k - 2 + accuracy)


@numba.njit(cache=True, nogil=True)
def _divide_by_sum(values):
    """Odds of one item to probabilities."""
    total = 0.0
    for value in values:
        total += value
    for c in range(len(values)):
        values[c] /= total


@numba.njit(cache=True, nogil=True)
def count_borrowed(
    own, extended, similarity, threshold, covered, pattern, curve, first, last, reached, odds
):
    """Count one LF's votes; where nobody votes, multiply the odds by what the borrowed are worth.

    Parameters
    ----------
    own, extended, similarity
        int8, int8 and float32 [n].
    threshold
        float64, least similarity at which a borrowed vote counts.
    covered
        bool [p], rows of votes with a vote.
    pattern
        int32 [n], each item's row of votes.
    curve
        float64 [g], accuracy of a borrowed vote for a class on the grid; empty if it is left to
        the caller to multiply, because the votes are soft.
    first, last
        Rows.
    reached
        uint8 [n], added to: `VOTES` where a vote counts, `BORROWS` where it is a borrowed one on
        an item without own votes, `SOFT` where multiplying is left.
    odds
        float64 [n, K].

    Returns
    -------
    How many votes count.
    """
    counted, k = 0, odds.shape[1]
    for row in range(first, last):
        if own[row] >= 0:
            counted += 1
            reached[row] |= VOTES
            continue
        s = np.float64(similarity[row])
        vote = np.int64(extended[row])
        if vote < 0 or not s >= threshold:
            continue
        counted += 1
        reached[row] |= VOTES
        if covered[pattern[row]]:
            continue
        if not reached[row] & BORROWS:
            reached[row] |= BORROWS
            for c in range(k):
                odds[row, c] = max(odds[row, c], LEAST)
        if len(curve) == 0:
            reached[row] |= SOFT
            continue
        named = vote % k
        odds[row, named] *= _factor(curve, s, vote, k)
        if not 1 / MOST < odds[row, named] < MOST:
            _divide_by_sum(odds[row])
    return counted


@numba.njit(cache=True, nogil=True)
def settle(reached, odds, first, last, labels):
    """Turn odds that were moved into probabilities, and name the most probable class.

    Parameters
    ----------
    reached
        uint8 [n], see `count_borrowed`.
    odds
        float64 [n, K], changed in place where they were moved.
    first, last
        Rows.
    labels
        int8 [n], written: −1 where not reached.
    """
    k = odds.shape[1]
    for row in range(first, last):
        if reached[row] & BORROWS:
            _divide_by_sum(odds[row])
        labels[row] = -1
        if reached[row]:
            best = 0
            for c in range(1, k):
                if odds[row, c] > odds[row, best]:
                    best = c
            labels[row] = best
