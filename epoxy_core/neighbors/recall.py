"""How much of the true neighbours an approximate graph holds."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.exact import exact_rows
from epoxy_core.neighbors.formats import Vectors

CHANCE = 0.01
"""By how much the default sample may miss the recall: three standard errors at .95."""


def measured_recall(
    similarity: npt.NDArray[np.float32], vectors: Vectors, *, sample: int = 512, seed: int = 0
) -> float:
    """Estimate the share of the true k nearest by an exact search of some rows, drawn at random.

    A neighbour as similar as the true k-th is right, whichever of those that tie it is.

    Parameters
    ----------
    similarity
        float32 [n, k], of the graph's neighbours.
    vectors
        float32 [n, d], the embeddings.
    sample
        Rows that are searched exactly.
    seed
        Of the draw.
    """
    n, width = similarity.shape
    if not width:
        return 1.0
    drawn = np.random.default_rng(seed).choice(n, size=min(sample, n), replace=False)
    _, true = exact_rows(vectors, np.sort(drawn), width)
    return float((similarity[np.sort(drawn)] >= true[:, -1:]).mean())
