"""Compiled loops of the neighbour search; see `similarity`, `all_pairs` and `again` for their use.

Rows of ``keys`` and ``rows`` are heaps of the best candidates so far, the worst of them first:
what is not above it is passed over.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

_LANES = 64  # values compared with their marks at a time
_STEPS = 2.0**20  # 1 / similarity.GRID


def _as_float(value):
    """A tile's value as float32: a sum of int8 products, or the bits of a bfloat16, too."""


@overload(_as_float, inline="never")
def _as_float_of(value):
    if value == types.float32:
        return lambda value: value
    if value == types.uint16:
        return lambda value: np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)
    return lambda value: np.float32(value)


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def similarity_of(vectors, row, other):
    """Exact similarity of two rows.

    The sum may be taken in vector lanes: its rounding, about 1e-16, is far below the grid's step.
    """
    left, right = vectors[row], vectors[other]
    total = 0.0
    for i in range(len(left)):
        total += np.float64(left[i]) * np.float64(right[i])
    return np.float32(np.rint(total * _STEPS) / _STEPS)


@njit(cache=True, nogil=True)
def compare(vectors, rows, others, first, last, out):
    """Similarity of ``rows[i]`` to each of ``others[i]``, for i from ``first`` to ``last``."""
    for i in range(first, last):
        for j in range(others.shape[1]):
            out[i, j] = similarity_of(vectors, rows[i], others[i, j])


@njit(cache=True, nogil=True)
def _insert(indices, similarity, used, row, value):
    """Put a neighbour in its place: by similarity, then by row. The last falls off the end."""
    width = len(indices)
    if used == width:
        worst = similarity[width - 1]
        if value < worst or (value == worst and row > indices[width - 1]):
            return used
    at = min(used, width - 1)
    while at > 0 and (
        similarity[at - 1] < value or (similarity[at - 1] == value and indices[at - 1] > row)
    ):
        similarity[at], indices[at] = similarity[at - 1], indices[at - 1]
        at -= 1
    similarity[at], indices[at] = value, row
    return min(used + 1, width)


@njit(cache=True, nogil=True)
def rescore(vectors, owners, rows, first, last, indices, similarity):
    """Keep the nearest of the candidates ``rows[i]`` of item ``owners[i]``; −1: no candidate."""
    for i in range(first, last):
        used = 0
        for j in range(rows.shape[1]):
            other = rows[i, j]
            if other >= 0:
                value = similarity_of(vectors, owners[i], other)
                used = _insert(indices[i], similarity[i], used, other, value)


@njit(cache=True, nogil=True)
def closest(vectors, rough, apart, owners, least, indices, similarity):
    """Of the items whose rough similarity to ``owners[i]`` is at least ``least[i]``, the nearest.

    The item itself counts, too. ``apart``, unless empty: items of its own number do not.
    """
    for i in range(len(owners)):
        used = 0
        for other in range(rough.shape[1]):
            if rough[i, other] >= least[i] and not (
                len(apart) and apart[other] == apart[owners[i]]
            ):
                value = similarity_of(vectors, owners[i], other)
                used = _insert(indices[i], similarity[i], used, other, value)


@njit(cache=True, nogil=True)
def _push(keys, rows, key, row):
    """Replace a heap's worst candidate; give the worst there is now."""
    width = len(keys)
    at, child = 0, 1
    while child < width:
        if child + 1 < width and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[at], rows[at] = keys[child], rows[child]
        at, child = child, 2 * child + 1
    keys[at], rows[at] = key, row
    return keys[0]


@njit(cache=True, nogil=True)
def _listed(rows, row):
    found = np.int32(0)
    for other in rows:
        found |= np.int32(other == row)
    return found


@njit(cache=True, nogil=True)
def keep(tile, slots, owners, left, both, distinct, apart, worst, keys, rows):  # noqa: C901
    """Enter a tile of products into the heaps of its rows and, if ``both``, of its columns.

    Parameters
    ----------
    tile
        float32, int32 (of int8 products) or uint16 (bfloat16) [height, width].
    slots, owners
        int32 [height], the heap and the item of each row of the tile; if ``both``, the same.
    left
        The item of its first column; the others follow.
    both
        Whether columns take rows, too.
    distinct
        Whether a pair may come again, and must be looked for.
    apart
        int64 [n] or [0]; items with the same number are no candidates of one another.
    worst, keys, rows
        float32 [s], float32 and int32 [s, c]: the heaps, and their first keys once more.
    """
    height, width = tile.shape
    marks = worst[left : left + width]
    for i in range(height):
        slot, owner = slots[i], owners[i]
        mark = worst[slot]
        line = tile[i]
        for start in range(0, width, _LANES):
            if start + _LANES <= width:
                part = line[start : start + _LANES]
                above = np.int32(0)
                if both:
                    near = marks[start : start + _LANES]
                    for j in range(_LANES):
                        key = _as_float(part[j])
                        above |= np.int32(key > mark) | np.int32(key > near[j])
                else:
                    for j in range(_LANES):
                        above |= np.int32(_as_float(part[j]) > mark)
                if not above:
                    continue
            for j in range(start, min(start + _LANES, width)):
                key, other = _as_float(line[j]), np.int32(left + j)
                if not (key > mark or (both and key > marks[j])) or other == owner:
                    continue
                if len(apart) and apart[other] == apart[owner]:
                    continue
                if key > mark and not (distinct and _listed(rows[slot], other)):
                    mark = worst[slot] = _push(keys[slot], rows[slot], key, other)
                if both and key > marks[j] and not (distinct and _listed(rows[other], owner)):
                    marks[j] = _push(keys[other], rows[other], key, owner)


@njit(cache=True, nogil=True)
def take(vectors, rough, newcomers, left, marks, slack, indices, similarity):
    """Let items take newcomers that are nearer than their last neighbour.

    Parameters
    ----------
    vectors
        float32 [n, d].
    rough
        float32 [m, width], products of the newcomers with the items from ``left`` on.
    newcomers
        int32 [m], their rows.
    left
        The first item.
    marks
        float32 [n], the products below which each item takes nobody.
    slack
        How far a mark is below the similarity of the last neighbour.
    indices, similarity
        int32 and float32 [n, k], full rows of neighbours.
    """
    last = indices.shape[1] - 1
    for i in range(len(newcomers)):
        line = rough[i]
        for start in range(0, len(line), _LANES):
            stop = min(start + _LANES, len(line))
            part, near = line[start:stop], marks[left + start : left + stop]
            above = np.int32(0)
            for j in range(len(part)):
                above |= np.int32(part[j] >= near[j])
            if not above:
                continue
            for j in range(len(part)):
                if part[j] >= near[j]:
                    item = left + start + j
                    value = similarity_of(vectors, item, newcomers[i])
                    _insert(indices[item], similarity[item], last + 1, newcomers[i], value)
                    near[j] = similarity[item, last] - slack
