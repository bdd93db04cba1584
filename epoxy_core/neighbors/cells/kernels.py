"""Compiled loops over cells, and over neighbours of neighbours; see `visits` and `search`.

Loops count with an index: Numba makes vector instructions of these only.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

from epoxy_core.neighbors.candidates.kernels import candidate, keep_largest
from epoxy_core.neighbors.kernels import prefetch

NO_CELL = np.iinfo(np.uint16).max
_LANES = 16
_LINE = 64  # bytes that memory is read in
_AHEAD = np.uintp(8)  # vectors that are asked for before they are needed


@njit(cache=True, nogil=True)
def _at_least(values, mark):
    count = np.int32(0)
    for i in range(len(values)):
        count += np.int32(np.float32(values[i]) >= mark)
    return count


@njit(cache=True, nogil=True)
def _marks(values, least, most):
    """Two values: ``least`` to ``most`` reach the first, or all below the second are equal."""
    low, high = values[0], values[0]
    for i in range(len(values)):
        low, high = min(low, values[i]), max(high, values[i])
    lowest, high = np.float32(low), np.float32(high)
    if most == 1:
        return high, high
    # Most are far below the best: half way to the worst, and on from there.
    half = np.float32(0.5)
    low = lowest + (high - lowest) * half
    count = _at_least(values, low)
    while count < least:
        high = low
        following = lowest + (low - lowest) * half
        low = following if following < low else lowest
        count = _at_least(values, low)
    while count > most:
        middle = low + (high - low) * half
        if middle <= low or middle >= high:
            return low, high
        found = _at_least(values, middle)
        if found < least:
            high = middle
        else:
            low, count = middle, found
    return low, low


@njit(cache=True, nogil=True)
def nearest(tile, least, first, out):
    """Write the columns with the largest values of each row, the largest first, else in order.

    Parameters
    ----------
    tile
        float32 or int32 [r, c].
    least
        How many of each row; up to as many as fit, if it takes less to find these.
    first
        The row of ``out`` in which to begin.
    out
        uint16 [n, ≥ least]; `NO_CELL` after the last.
    """
    most = out.shape[1]
    for i in range(len(tile)):
        line, row = tile[i], out[first + i]
        mark, sure = _marks(line, least, most)
        spare = most - _at_least(line, sure)
        used, best, value = 0, 0, mark
        for start in range(0, len(line), _LANES):
            stop = min(start + _LANES, len(line))
            if stop == start + _LANES:
                part, above = line[start:stop], np.int32(0)
                for j in range(_LANES):
                    above |= np.int32(np.float32(part[j]) >= mark)
                if not above:
                    continue
            for j in range(start, stop):
                key = np.float32(line[j])
                if key < mark or used == most or (key < sure and spare <= 0):
                    continue
                spare -= np.int32(key < sure)
                if key > value:
                    value, best = key, used
                row[used] = j
                used += 1
        row[0], row[best] = row[best], row[0]
        row[used:] = NO_CELL


@njit(cache=True, nogil=True)
def visitors(probed, first):
    """Items that probe each cell but live elsewhere, cell by cell, in order.

    Parameters
    ----------
    probed
        uint16 [n, p], their own cell first.
    first
        int64 [c + 1], zeros; where the visitors of each cell begin is written to it.

    Returns
    -------
    int32 [v].
    """
    for row in probed:
        for cell in row[1:]:
            if cell != NO_CELL:
                first[cell + 1] += 1
    for cell in range(len(first) - 1):
        first[cell + 1] += first[cell]
    found, used = np.empty(first[-1], dtype=np.int32), first[:-1].copy()
    for place in range(len(probed)):
        for cell in probed[place, 1:]:
            if cell != NO_CELL:
                found[used[cell]] = place
                used[cell] += 1
    return found


@njit(cache=True, nogil=True)
def mark_fresh(ranked, before, first, last, fresh):
    """Say which of some items' best candidates were not among the best before, bool [n, near]."""
    for item in range(np.uintp(first), np.uintp(last)):
        for i in range(np.uintp(fresh.shape[1])):
            known = np.int32(0)
            for j in range(np.uintp(fresh.shape[1])):
                known |= np.int32(before[item, j] == ranked[item, i])
            fresh[item, i] = not known


def _times(left, right):
    """A product, as wide as the sum of many has to be."""


@overload(_times, inline="never")
def _times_of(left, right):
    if left == types.float32:
        return lambda left, right: left * right
    return lambda left, right: np.int32(np.int16(left) * np.int16(right))


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def befriend(  # noqa: C901
    encoded, ranked, fresh, homes, probed, first, last, pool, used, worst, width
):
    """Enter the neighbours of some items' neighbours as their candidates.

    Parameters
    ----------
    encoded
        int8 or float32 [≥ n, d].
    ranked
        int32 [n, width], everybody's candidates, the best first; −1 after the last.
    fresh
        bool [n, near]: as many candidates are asked for as many of theirs, if one or the other is
        fresh; see `mark_fresh`.
    homes, probed
        uint16 [n] and [n, p], the cells items are in and probe: with these members they were
        compared.
    pool, used, worst, width
        See `candidates.pool.Candidates`.
    """
    near = np.uintp(fresh.shape[1])
    seen = np.full(len(ranked), -1, dtype=np.int32)
    searched = np.full(NO_CELL + 1, -1, dtype=np.int32)
    others = np.empty(near * near, dtype=np.uintp)
    dimensions = np.uintp(encoded.shape[1])
    size = np.uintp(encoded.shape[1] * encoded.itemsize)
    for item in range(np.uintp(first), np.uintp(last)):
        stamp, mark, count = np.int32(item), worst[item], np.uintp(0)
        seen[item] = stamp
        for i in range(np.uintp(probed.shape[1])):
            searched[probed[item, i]] = stamp
        for i in range(np.uintp(ranked.shape[1])):
            if ranked[item, i] >= 0:
                seen[np.uintp(ranked[item, i])] = stamp
        for i in range(near):
            if ranked[item, i] < 0:
                break
            friend, all_of_them = np.uintp(ranked[item, i]), fresh[item, i]
            for j in range(near):
                other = ranked[friend, j]
                if other < 0:
                    break
                if (all_of_them or fresh[friend, j]) and seen[np.uintp(other)] != stamp:
                    seen[np.uintp(other)] = stamp
                    others[count] = np.uintp(other)
                    count += np.uintp(searched[homes[np.uintp(other)]] != stamp)
        for i in range(count + _AHEAD):
            if i < count:
                for byte in range(np.uintp(0), size, np.uintp(_LINE)):
                    prefetch(encoded, others[i], byte)
            if i < _AHEAD:
                continue
            other = others[i - _AHEAD]
            total = _times(encoded[item, 0], encoded[other, 0])
            for j in range(np.uintp(1), dimensions):
                total += _times(encoded[item, j], encoded[other, j])
            key = np.float32(total)
            if key > mark:
                end = used[item]
                pool[item, end] = candidate(key, np.int64(other))
                end += 1
                if end == pool.shape[1]:
                    mark = worst[item] = keep_largest(pool, item, end, width)
                    end = np.int32(width)
                used[item] = end
