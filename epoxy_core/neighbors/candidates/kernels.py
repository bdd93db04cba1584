"""Compiled loops over pools of candidates; see `pool` for their use.

A candidate is one integer, larger the better: in its upper half the product, as a float32 whose
bits are made to sort as integers do; in its lower half the row.

What is called in an inner loop takes numbers, not arrays: Numba counts references to each array
that it hands over, which takes longer than entering a candidate.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

from epoxy_core.neighbors.candidates.pool import NOBODY

_LANES, _FEWER = 64, 16  # values compared with their marks at a time


def _as_float(value):
    """A tile's value as float32: a sum of int8 products, or the bits of a bfloat16, too."""


@overload(_as_float, inline="never")
def _as_float_of(value):
    if value == types.float32:
        return lambda value: value
    if value == types.uint16:
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: np.float32(value)


@njit(cache=True, nogil=True)
def candidate(key, row):
    """A product and a row as one integer."""
    bits = np.int64(np.float32(key).view(np.int32))
    return ((bits ^ ((bits >> 31) & 0x7FFFFFFF)) << 32) | np.int64(row)


@njit(cache=True, nogil=True)
def product_of(value):
    """The product in a candidate, float32."""
    bits = value >> 32
    return np.int32(bits ^ ((bits >> 31) & 0x7FFFFFFF)).view(np.float32)


@njit(cache=True, nogil=True)
def _at_least(values, mark):
    count = np.int64(0)
    for i in range(len(values)):  # with an index: of other loops, Numba makes no vector code
        count += np.int64(values[i] >= mark)
    return count


@njit(cache=True, nogil=True)
def keep_largest(pool, slot, used, width):
    """Throw out all but the ``width`` best of more candidates; give the product of the last."""
    values = pool[slot, :used]
    low, high = values[0], values[0]
    for i in range(len(values)):
        low, high = min(low, values[i]), max(high, values[i])
    # At least ``width`` reach ``low``, fewer ``high``; the sum of both may be too large a number.
    while True:
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        count = _at_least(values, middle)
        if count < width:
            high = middle
        elif count > width and middle > low:
            low = middle
        else:
            break
    kept, last = 0, high
    for i in range(len(values)):
        if values[i] >= middle and kept < width:
            values[kept] = values[i]
            last = min(last, values[i])
            kept += 1
    return product_of(last)


@njit(cache=True, nogil=True)
def keep(  # noqa: C901
    tile, slots, owners, columns, both, apart, homes, probed, pool, used, worst, width
):
    """Enter a tile of products as candidates of its rows and, if ``both``, of its columns.

    Parameters
    ----------
    tile
        float32, int32 (of int8 products) or uint16 (bfloat16) [≥ height, ≥ width].
    slots, owners
        int32 [height], the place in the pool and the item of each row; if ``both``, the same.
    columns
        int32 [width], the items of the columns.
    both
        Whether columns take rows, too.
    apart
        int64 [n] or [0]; items with the same number are no candidates of one another.
    homes, probed
        uint16 [n] and [n, p], the cells items are in and probe, or [0] and [0, 0]. A pair whose
        items probe each other's cells comes twice, and is entered by the later cell.
    pool, used, worst
        int64 [s, > width], int32 [s], float32 [s]; see `pool.Candidates`.
    """
    near = np.full(len(columns), np.inf, dtype=np.float32)
    if both:
        for j in range(len(columns)):
            near[j] = worst[columns[j]]
    hits = np.empty(len(columns) + 1, dtype=np.int32)
    for i in range(len(slots)):
        slot, owner, line = slots[i], owners[i], tile[i]
        mark = worst[slot]
        hit = np.uintp(0)
        for start in range(0, len(columns), _LANES):
            stop = min(start + _LANES, len(columns))
            if stop == start + _LANES:
                part, marks = line[start:stop], near[start:stop]
                above = np.int32(0)
                for j in range(_LANES):
                    above |= np.int32(_as_float(part[j]) > min(mark, marks[j]))
                if not above:
                    continue
            for first in range(start, stop, _FEWER):
                last = min(first + _FEWER, stop)
                if last == first + _FEWER:
                    part, marks = line[first:last], near[first:last]
                    above = np.int32(0)
                    for j in range(_FEWER):
                        above |= np.int32(_as_float(part[j]) > min(mark, marks[j]))
                    if not above:
                        continue
                for j in range(np.uintp(first), np.uintp(last)):
                    hits[hit] = j
                    hit += np.uintp(_as_float(line[j]) > min(mark, near[j]))
        for h in range(hit):
            j = hits[h]
            key, other = _as_float(line[j]), columns[j]
            if other == owner or (len(apart) and apart[other] == apart[owner]):
                continue
            if len(homes) and homes[other] > homes[owner]:
                home, twice = homes[other], np.int32(0)
                for p in range(np.uintp(probed.shape[1])):
                    twice |= np.int32(probed[np.uintp(owner), p] == home)
                if twice:
                    continue
            if key > mark:
                end = used[slot]
                pool[slot, end] = candidate(key, other)
                end += 1
                if end == pool.shape[1]:
                    mark = worst[slot] = keep_largest(pool, slot, end, width)
                    end = np.int32(width)
                used[slot] = end
            if both and key > near[j]:
                end = used[other]
                pool[other, end] = candidate(key, owner)
                end += 1
                if end == pool.shape[1]:
                    near[j] = worst[other] = keep_largest(pool, other, end, width)
                    end = np.int32(width)
                used[other] = end


@njit(cache=True, nogil=True)
def rank(pool, used, worst, width, first, last, rows):
    """Leave the best ``width`` candidates of some slots, and write their rows, best first."""
    for slot in range(first, last):
        if used[slot] > width:
            worst[slot] = keep_largest(pool, slot, used[slot], width)
            used[slot] = width
        values = pool[slot, : used[slot]]
        for i in range(1, len(values)):
            value, at = values[i], i
            while at and values[at - 1] < value:
                values[at] = values[at - 1]
                at -= 1
            values[at] = value
        for i in range(len(values)):
            rows[slot, i] = np.int32(values[i] & 0xFFFFFFFF)
        rows[slot, len(values) :] = NOBODY
