"""Exact search: a rough product leaves candidates, which float64 decides on and proves right."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.again import search_again
from epoxy_core.neighbors.candidates.all_pairs import against, all_pairs
from epoxy_core.neighbors.candidates.pool import Best
from epoxy_core.neighbors.cells.centroids import cell_by_cell
from epoxy_core.neighbors.formats import BFLOAT16, FLOAT32, Vectors, bfloat16_error
from epoxy_core.neighbors.gpu import all_pairs_on
from epoxy_core.neighbors.rescoring import Found, rescored, rescored_in
from epoxy_core.neighbors.similarity import matmul_slack

_FEW = 0.2  # share of rows above which a first pass in bfloat16 was no use

Numbers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]


def exact(vectors: Vectors, width: int, apart: Numbers | None = None, device: str = "cpu") -> Found:
    """Find the ``width`` most similar items of every item, by a first pass in float32.

    A row whose last neighbour is not provably above everything left out (many duplicates, say) is
    searched again among all that come close.

    Parameters
    ----------
    vectors
        float32 [n, d], unit or zero rows.
    width
        At least 1 and at most n − 1.
    apart
        int64 [n]; items with the same number are no neighbours of one another.
    device
        Where the products are made: ``cpu``, or torch's name of another device.

    Returns
    -------
    indices, similarity
        int32 and float32 [n, width]; −1 and −inf where an item has fewer.
    """
    candidates = _candidates(len(vectors), width)
    if device == "cpu":
        best = all_pairs(vectors, FLOAT32, candidates, apart)
    else:
        best = all_pairs_on(device, vectors, candidates, apart)
    return _decided(vectors, np.arange(len(vectors)), best, width, apart)


def exact_by_bfloat16(vectors: Vectors, width: int, apart: Numbers | None = None) -> Found:
    """Find the same as `exact`, by a first pass in bfloat16.

    The error of a product of rounded vectors is at most that of the vectors (Cauchy–Schwarz), so
    most rows are proven by it; only the others are searched again in float32.
    """
    n, dimensions = vectors.shape
    encoded = BFLOAT16.encode(vectors)
    order = cell_by_cell(vectors, encoded, BFLOAT16)
    numbers = None if apart is None else apart[order]
    candidates = min(n - 1, width + max(24, 3 * width // 4))
    best = all_pairs(encoded[order], BFLOAT16, candidates, numbers)
    indices, similarity = rescored_in(order, vectors, best.rows, width)
    error = bfloat16_error(vectors, encoded)
    slack = 1.02 * (error + error.max()) + 2.1 * matmul_slack(dimensions)
    worst = np.empty(n, dtype=np.float32)
    worst[order] = best.left_out
    # The product itself is rounded to bfloat16, too.
    slack += np.abs(np.maximum(worst, -2)) * 2.0**-8
    doubtful = _doubtful(similarity, worst, slack)
    if len(doubtful) > _FEW * n:
        return exact(vectors, width, apart)
    if len(doubtful):
        indices[doubtful], similarity[doubtful] = exact_rows(vectors, doubtful, width, apart)
    return indices, similarity


def exact_rows(vectors: Vectors, rows: Rows, width: int, apart: Numbers | None = None) -> Found:
    """Find the neighbours of some rows [r]; see `exact`."""
    candidates, owners = _candidates(len(vectors), width), rows.astype(np.int32)
    best = against(vectors[rows], vectors, FLOAT32, candidates, owners, apart)
    return _decided(vectors, rows, best, width, apart)


def _candidates(n: int, width: int) -> int:
    return min(n - 1, width + max(16, width // 2))


def _doubtful(
    similarity: npt.NDArray[np.float32],
    left_out: npt.NDArray[np.float32],
    slack: np.float32 | npt.NDArray[np.float32],
) -> Rows:
    """Rows that may miss somebody who was left out."""
    return np.flatnonzero((left_out > -np.inf) & (similarity[:, -1] <= left_out + slack))


def _decided(vectors: Vectors, rows: Rows, best: Best, width: int, apart: Numbers | None) -> Found:
    indices, similarity = rescored(vectors, rows, best.rows, width)
    slack = np.float32(matmul_slack(vectors.shape[1]))
    doubtful = _doubtful(similarity, best.left_out, slack)
    if len(doubtful):
        indices[doubtful], similarity[doubtful] = search_again(
            vectors, rows[doubtful], similarity[doubtful, -1] - slack, width, apart
        )
    return indices, similarity
