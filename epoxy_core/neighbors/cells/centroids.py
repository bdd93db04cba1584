"""Directions around which vectors gather: spherical k-means on a sample."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.all_pairs import in_turn
from epoxy_core.neighbors.formats import FLOAT32, INT8, Array, Format, Vectors, native
from epoxy_core.threads import thread_count

_SAMPLE = 16  # items a cell from which cells are learned
_ITERATIONS = 3
_MEMBERS_TOGETHER, _EVERY = 1000, 10  # where cells only put items in order
_TILE = 2**18  # products, at most: they stay in the cache
_WORTH_A_THREAD = 64  # rows


def cell_by_cell(vectors: Vectors, encoded: Array, form: Format) -> npt.NDArray[np.intp]:
    """An order in which items that are alike stand together, int [n]."""
    middles = centroids(vectors[::_EVERY], max(1, len(vectors) // _MEMBERS_TOGETHER))
    own = nearest_cells(encoded, form.encode(middles), form, 1)[:, 0]
    return np.argsort(own, kind="stable")


def centroids(vectors: Vectors, count: int) -> Vectors:
    """Directions of cells, float32 [count, d]: a few rounds of spherical k-means on a sample."""
    form = INT8 if native("int8") else FLOAT32
    sample = vectors[:: max(1, len(vectors) // (_SAMPLE * count))]
    encoded = form.encode(sample)
    middles = sample[:: max(1, len(sample) // count)][:count].copy()
    for _ in range(_ITERATIONS):
        own = nearest_cells(encoded, form.encode(middles), form, 1)[:, 0]
        order = np.argsort(own, kind="stable")
        taken, first = np.unique(own[order], return_index=True)
        sums = np.add.reduceat(sample[order], first, axis=0)
        length = np.linalg.norm(sums, axis=1)
        middles[taken[length > 0]] = sums[length > 0] / length[length > 0, None]
    return middles


def nearest_cells(
    encoded: Array, middles: Array, form: Format, count: int, most: int | None = None
) -> npt.NDArray[np.uint16]:
    """Find the cells that each vector is nearest to.

    Parameters
    ----------
    encoded
        [n, d], in the format's type: float32 or int8.
    middles
        [c, d], likewise, c < 65,535.
    count
        How many to find, at most c; or up to ``most``, no fewer, where it takes less to find these.

    Returns
    -------
    uint16 [n, most], the nearest first, else in order; `kernels.NO_CELL` after the last.
    """
    from epoxy_core.neighbors.cells.kernels import nearest

    out = np.empty((len(encoded), most or count), dtype=np.uint16)
    height = max(16, _TILE // len(middles) // 16 * 16)

    def work(part: tuple[int, int]) -> None:
        scratch = np.empty(height * len(middles), dtype=form.product)
        for top in range(*part, height):
            asking = encoded[top : min(top + height, part[1])]
            nearest(form.tile(asking, middles, scratch), count, top, out)

    threads = max(1, min(thread_count(), len(encoded) // _WORTH_A_THREAD))
    in_turn([list(pairwise(len(encoded) * part // threads for part in range(threads + 1)))], work)
    return out
