"""Compiled loops of exact similarities; see `similarity`, `rescoring` and `again` for their use."""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_LANES = 64  # values compared with their marks at a time
_LINE = 64  # bytes that memory is read in
_AHEAD = 2  # vectors that are asked for before they are needed
_STEPS = 2.0**20  # 1 / similarity.GRID


@intrinsic
def prefetch(context, array, row, byte):
    """Ask for 64 bytes of a row, to be in the cache when they are read."""

    def generate(context, builder, signature, args):
        array = context.make_array(signature.args[0])(context, builder, args[0])
        stride = cgutils.unpack_tuple(builder, array.strides)[0]
        place = builder.add(builder.mul(args[1], stride), args[2])
        pointer = builder.gep(builder.bitcast(array.data, cgutils.voidptr_t), [place])
        whole = cgutils.int32_t
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, whole, whole, whole])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, whole(0), whole(3), whole(1)])  # to read, soon, data
        return context.get_dummy_value()

    return types.void(array, types.uintp, types.uintp), generate


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
    size = np.uintp(vectors.shape[1] * vectors.itemsize)
    for i in range(first, last):
        used = 0
        for j in range(rows.shape[1]):
            if j + _AHEAD < rows.shape[1] and rows[i, j + _AHEAD] >= 0:
                for byte in range(np.uintp(0), size, np.uintp(_LINE)):
                    prefetch(vectors, np.uintp(rows[i, j + _AHEAD]), byte)
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
