"""The nearest of a few candidates, by exact similarity."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.pool import NOBODY
from epoxy_core.threads import by_rows

_WORTH_A_THREAD = 1024  # rows

Found = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


def rescored(
    vectors: npt.NDArray[np.float32],
    rows: npt.NDArray[np.integer],
    candidates: npt.NDArray[np.int32],
    width: int,
) -> Found:
    """Keep the nearest of each row's own candidates: by similarity, then by row.

    Parameters
    ----------
    vectors
        float32 [n, d].
    rows
        int [r], the items.
    candidates
        int32 [r, c], distinct; −1: nobody.
    width
        Neighbours of each row.

    Returns
    -------
    indices, similarity
        int32 and float32 [r, width]; −1 and −inf after the last.
    """
    from epoxy_core.neighbors.kernels import rescore

    owners = rows.astype(np.int32)
    indices = np.full((len(rows), width), NOBODY, dtype=np.int32)
    similarity = np.full((len(rows), width), -np.inf, dtype=np.float32)
    by_rows(
        len(rows),
        lambda first, last: rescore(vectors, owners, candidates, first, last, indices, similarity),
        least=_WORTH_A_THREAD,
    )
    return indices, similarity


def rescored_in(
    order: npt.NDArray[np.integer],
    vectors: npt.NDArray[np.float32],
    candidates: npt.NDArray[np.int32],
    width: int,
) -> Found:
    """Keep the nearest candidates of all items, where candidates are places in an order.

    Parameters
    ----------
    order
        int [n], the item at each place.
    vectors
        float32 [n, d], by item.
    candidates
        int32 [n, c], by place, places; −1: nobody.
    width
        Neighbours of each item.

    Returns
    -------
    indices, similarity
        int32 and float32 [n, width], by item, items.
    """
    items = np.append(order, NOBODY).astype(np.int32)  # the last is nobody's
    found, alike = rescored(vectors, order, items[candidates], width)
    indices, similarity = np.empty_like(found), np.empty_like(alike)
    indices[order], similarity[order] = found, alike
    return indices, similarity
