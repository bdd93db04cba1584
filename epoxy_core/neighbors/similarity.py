"""The one similarity every search compares: a float64 dot product on a fixed grid.

Matrix products of different shapes add up in different orders, so their last bits differ and so
would the order of ties. Searches therefore use a matrix product only to leave out what cannot be
among the nearest (`matmul_slack` bounds its error) and decide on `exact_similarity`.
"""

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.threads import by_rows

GRID = 2.0**-20
"""Similarities are multiples of this (about 1e-6): coarser than any rounding error of a float64
dot product, and exact in float32."""

_WORTH_A_THREAD = 65_536  # pairs
_UNIT_TOLERANCE = 0.01


def checked_embeddings(embeddings: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Check that embeddings are unit or zero rows; give them as contiguous float32 [n, d].

    Raises
    ------
    EpoxyError
        If the array is not two-dimensional, holds NaN or infinity, or a row is not of unit length.
    """
    if embeddings.ndim != 2:
        raise EpoxyError(
            f"embeddings have {embeddings.ndim} dimensions, not 2",
            remedy="Give one row per item, one column per embedding dimension.",
        )
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    squared = np.einsum("ij,ij->i", rows, rows)
    if not np.isfinite(squared).all():
        bad = int(np.flatnonzero(~np.isfinite(squared))[0])
        raise EpoxyError(
            "the embedding is not finite",
            where=f"embeddings row {bad}",
            remedy="Embed this item again; its vector holds NaN or infinity.",
        )
    off = (squared > 0) & (np.abs(np.sqrt(squared) - 1) > _UNIT_TOLERANCE)
    if off.any():
        bad = int(np.flatnonzero(off)[0])
        raise EpoxyError(
            f"the embedding has length {np.sqrt(squared[bad]):.3g}, not 1",
            where=f"embeddings row {bad}",
            remedy="Divide each embedding by its length: similarity is the dot product.",
        )
    return rows


def exact_similarity(
    embeddings: npt.NDArray[np.float32],
    rows: npt.NDArray[np.integer],
    others: npt.NDArray[np.integer],
) -> npt.NDArray[np.float32]:
    """Compare each row with its own others; the same pair has the same similarity in any shape.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit rows.
    rows
        int [b].
    others
        int [b, c].

    Returns
    -------
    float32 [b, c], multiples of ``GRID``.
    """
    from epoxy_core.neighbors.kernels import compare

    vectors = np.ascontiguousarray(embeddings, dtype=np.float32)
    own = np.ascontiguousarray(rows, dtype=np.int64)
    pairs = np.ascontiguousarray(others, dtype=np.int64)
    out = np.empty(pairs.shape, dtype=np.float32)
    by_rows(
        len(own),
        lambda first, last: compare(vectors, own, pairs, first, last, out),
        least=max(1, _WORTH_A_THREAD // max(1, pairs.shape[1])),
    )
    return out


def matmul_slack(dimensions: int) -> float:
    """Bound how far a float32 matrix product of unit rows is from `exact_similarity`.

    The worst case of a sum of ``dimensions`` products, d·2⁻²⁴ for rows of unit length (3 % is
    added for rows that are a little longer), and half a step of the grid.
    """
    return 1.03 * (dimensions + 2) * 2.0**-24 + GRID / 2
