"""Semantic and lexical vectors, side by side."""

from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError


def joined(
    embeddings: npt.NDArray[np.float32], lexical: npt.NDArray[Any], weight: float = 0.5
) -> npt.NDArray[np.float32]:
    """Embeddings, then lexical vectors scaled by ``weight``.

    Parameters
    ----------
    embeddings
        float32 [n, d], unit rows.
    lexical
        float16 or float32 [n, r], unit or zero rows; r may be 0.
    weight
        Length of a lexical vector beside an embedding's of 1. In an inner product its square
        counts.

    Returns
    -------
    ndarray
        float32 [n, d + r].

    Raises
    ------
    EpoxyError
        If the two are not of the same items.
    """
    if len(embeddings) != len(lexical):
        raise EpoxyError(
            f"{len(embeddings)} embeddings and {len(lexical)} lexical vectors",
            remedy="Take both of the same items, in one order.",
        )
    split = embeddings.shape[1]
    vectors = np.empty((len(embeddings), split + lexical.shape[1]), np.float32)
    vectors[:, :split] = embeddings
    np.multiply(lexical, weight, out=vectors[:, split:], dtype=np.float32)
    return vectors
