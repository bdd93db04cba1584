"""Loops over the neighbour graph and over borrowed votes, compiled."""

import numba
import numpy as np

ANEW, KEPT = 1, 2
"""In ``doubtful``: the neighbours do not show which supporter, or which added one, is nearest."""

_NOBODY, _OUT = -1, -2


@numba.njit(cache=True, nogil=True)
def _first_of(indices, row, looked_for, old):
    """Place of the first neighbour that is looked for; `_NOBODY` or, if it may be missing, `_OUT`.

    Whoever comes after the old source is no nearer.
    """
    for place in range(indices.shape[1]):
        other = indices[row, place]
        if other < 0 or other == old:
            return _NOBODY
        if looked_for[other >> 3] >> (other & 7) & 1:
            return place
    return _OUT


@numba.njit(cache=True, nogil=True)
def look_among_neighbors(
    indices,
    similarity,
    votes,
    supporters,
    added,
    any_added,
    old_source,
    old_similarity,
    threshold,
    beyond,
    first,
    last,
    extended,
    source,
    near,
    doubtful,
):
    """Extend rows ``first`` to ``last`` as far as the graph shows how; see `extend_again`.

    Parameters
    ----------
    indices, similarity
        int32 and float32 [n, k], the graph.
    votes
        int8 [n], own votes.
    supporters, added
        uint8 [n / 8], bits: who votes, and who votes now and did not before.
    any_added
        Whether there is one of those.
    old_source, old_similarity
        int32 and float32 [n], as before the edit; −1 and NaN if there was nothing.
    threshold, beyond
        float32: least similarity of a neighbour, and of anyone else.
    first, last
        Rows.
    extended, source, near
        int8, int32 and float32 [n], written.
    doubtful
        uint8 [n], written: `ANEW`, `KEPT` or 0.
    """
    width = indices.shape[1]
    for row in range(first, last):
        doubtful[row] = 0
        if votes[row] >= 0:
            extended[row], source[row], near[row] = votes[row], row, 1
            continue
        old, s = old_source[row], np.float32(np.nan)
        keeps = old != row and (old < 0 or votes[old] >= 0)
        if keeps:
            s = old_similarity[row]
        else:
            old = np.int32(-1)
        place = _NOBODY
        if width > 0 and (any_added or not keeps):
            place = _first_of(indices, row, added if keeps else supporters, old)
        if place >= 0:
            other, found = indices[row, place], similarity[row, place]
            farther = old >= 0 and (found < s or (found == s and other > old))
            if found >= threshold and not farther:
                old, s = other, found
        elif place == _OUT:
            end = similarity[row, width - 1]
            if end >= beyond and not (old >= 0 and s > end):
                doubtful[row] = KEPT if keeps else ANEW
        source[row], near[row] = old, s
        extended[row] = votes[old] if old >= 0 else np.int8(-1)


@numba.njit(cache=True, nogil=True)
def look_among_lists(indices, similarity, supporters, place, nearest, near):
    """Find who of the supporters has a query among its own neighbours, and is nearest to it.

    Parameters
    ----------
    indices, similarity
        int32 and float32 [n, k], the graph.
    supporters
        int32 [s], rows.
    place
        int32 [n], where among the queries a row is; −1 for others.
    nearest, near
        int32 and float32 [q], written where one is found.
    """
    for supporter in supporters:
        for column in range(indices.shape[1]):
            other = indices[supporter, column]
            if other < 0:
                break
            query = place[other]
            if query < 0:
                continue
            s = similarity[supporter, column]
            if (
                nearest[query] < 0
                or s > near[query]
                or (s == near[query] and supporter < nearest[query])
            ):
                nearest[query], near[query] = supporter, s


@numba.njit(cache=True, nogil=True)
def judge_borrowed(
    rows, own, extended, similarity, pattern, posterior, top, unit, counts, agreement
):
    """Add up how the posterior judges what one LF borrows, by similarity.

    Parameters
    ----------
    rows
        int32 [r], items with own votes.
    own, extended, similarity
        int8, int8 and float32 [n].
    pattern
        int32 [n], each item's row of the posterior.
    posterior, top
        int64 [p, K] and [p], P(class) and the largest, in parts that add up exactly.
    unit
        int64, how many parts are 1.
    counts, agreement
        int64 [g], added to: votes, and the posterior of what they say (of a vote against a class,
        1 − (K−1) times that of the class), by the nearest point of the grid.

    Returns
    -------
    The sum of ``top`` over the votes.
    """
    k, middle = posterior.shape[1], (len(counts) - 1) // 2
    confidence = np.int64(0)
    for row in rows:
        vote = extended[row]
        if own[row] >= 0 or vote < 0:
            continue
        point = np.int64(np.rint((np.float64(similarity[row]) + 1) * middle))
        point = min(max(point, np.int64(0)), np.int64(2 * middle))
        judge = pattern[row]
        given = posterior[judge, vote % k]
        if vote >= k:
            given = unit - (k - 1) * given
        counts[point] += 1
        agreement[point] += given
        confidence += top[judge]
    return confidence
