"""Search of some rows among all, exactly: each distinct vector once, however often it comes."""

from functools import partial

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.pool import NOBODY
from epoxy_core.neighbors.rescoring import Found
from epoxy_core.threads import by_rows

_PRODUCTS = 2**24  # in memory at once: 64 MiB
_WORTH_A_THREAD = 4  # rows


def search_again(
    vectors: npt.NDArray[np.float32],
    rows: npt.NDArray[np.intp],
    least: npt.NDArray[np.float32],
    width: int,
    apart: npt.NDArray[np.int64] | None = None,
) -> Found:
    """Find the nearest items of some rows among those with a float32 product of at least ``least``.

    Thousands of identical items have the same neighbours but for themselves, and are compared with
    everybody once.

    Parameters
    ----------
    vectors
        float32 [n, d].
    rows
        int [r].
    least
        float32 [r]; low enough that the ``width`` nearest reach it (see `matmul_slack`).
    width
        Neighbours of each row.
    apart
        int64 [n]; items with the same number are no neighbours.

    Returns
    -------
    indices, similarity
        int32 and float32 [r, width].
    """
    own = vectors[rows]
    if apart is not None:
        own = np.hstack([own.view(np.int32), apart[rows, None].view(np.int32)]).view(np.float32)
    bytes_of = np.ascontiguousarray(own).view(np.dtype((np.void, own.shape[1] * own.itemsize)))
    _, first, group = np.unique(bytes_of.ravel(), return_index=True, return_inverse=True)
    lowest = np.full(len(first), np.inf, dtype=np.float32)
    np.minimum.at(lowest, group, least)

    numbers = np.empty(0, dtype=np.int64) if apart is None else apart
    owners = rows[first]
    indices = np.full((len(first), width + 1), NOBODY, dtype=np.int32)
    similarity = np.full((len(first), width + 1), -np.inf, dtype=np.float32)
    step = max(1, _PRODUCTS // len(vectors))
    for top in range(0, len(first), step):
        part = slice(top, top + step)
        asked = owners[part], lowest[part], indices[part], similarity[part]
        work = partial(_compare, vectors, vectors[owners[part]] @ vectors.T, numbers, *asked)
        by_rows(len(asked[0]), work, least=_WORTH_A_THREAD)
    return without(rows, indices[group], similarity[group])


def _compare(
    vectors: npt.NDArray[np.float32],
    rough: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int64],
    owners: npt.NDArray[np.intp],
    least: npt.NDArray[np.float32],
    indices: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
    first: int,
    last: int,
) -> None:
    from epoxy_core.neighbors.kernels import closest

    part = slice(first, last)
    closest(
        vectors, rough[part], numbers, owners[part], least[part], indices[part], similarity[part]
    )


def without(
    rows: npt.NDArray[np.integer],
    indices: npt.NDArray[np.int32],
    similarity: npt.NDArray[np.float32],
) -> Found:
    """Take each row out of its own neighbours [r, width + 1]; else the last of them."""
    itself = indices == rows[:, None]
    itself[~itself.any(axis=1), -1] = True
    shape = len(rows), indices.shape[1] - 1
    return indices[~itself].reshape(shape), similarity[~itself].reshape(shape)
