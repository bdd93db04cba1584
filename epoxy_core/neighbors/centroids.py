"""Directions around which vectors gather: spherical k-means on a sample."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.all_pairs import Heaps, against
from epoxy_core.neighbors.formats import FLOAT32, INT8, Array, Format, Vectors, native

_SAMPLE = 50  # items a cell from which cells are learned
_ITERATIONS = 4
_MEMBERS_TOGETHER, _EVERY = 1000, 10  # where cells only put items in order


def cell_by_cell(vectors: Vectors, encoded: Array, form: Format) -> npt.NDArray[np.intp]:
    """An order in which items that are alike stand together, int [n]."""
    middles = centroids(vectors[::_EVERY], max(1, len(vectors) // _MEMBERS_TOGETHER))
    nearest = against(encoded, form.encode(middles), form, 1).rows[:, 0]
    return np.argsort(nearest, kind="stable")


def centroids(vectors: Vectors, count: int) -> Vectors:
    """Directions of cells, float32 [count, d]: a few rounds of spherical k-means on a sample."""
    sample = vectors[:: max(1, len(vectors) // (_SAMPLE * count))]
    middles = sample[:: max(1, len(sample) // count)][:count].copy()
    for _ in range(_ITERATIONS):
        nearest = _nearest(sample, middles, 1).rows[:, 0]
        order = np.argsort(nearest, kind="stable")
        taken, first = np.unique(nearest[order], return_index=True)
        sums = np.add.reduceat(sample[order], first, axis=0)
        length = np.linalg.norm(sums, axis=1)
        middles[taken[length > 0]] = sums[length > 0] / length[length > 0, None]
    return middles


def _nearest(vectors: Vectors, middles: Vectors, count: int) -> Heaps:
    form = INT8 if native("int8") else FLOAT32
    return against(form.encode(vectors), form.encode(middles), form, count)
