"""Hand labels among the weak ones."""

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.examples import Floats, Targets
from epoxy_core.errors import EpoxyError

_AS_MUCH_AS_ALL = 400
"""Gold rows that together weigh as much as all weak rows."""


def mix_gold(
    targets: Targets,
    sample_weight: Floats,
    rows: npt.NDArray[np.integer],
    labels: npt.NDArray[np.integer],
    n_classes: int,
    weight: float | None = None,
) -> tuple[Floats, Floats]:
    """Let rows with a hand label train with it, and with more weight than weakly labelled ones.

    All arrays are over all items, as the embeddings are: no row is copied, and a gold row that
    had a weak label has it no longer.

    By default a gold row weighs 1/400 of all weak rows, or 1/g where there are more than 400
    (g gold rows never outweigh the weak ones), and at least as much as a weak row on average.
    The more gold rows, the larger their share should be: with few of them, a large share fits
    a handful of texts.

    Parameters
    ----------
    targets
        float [n, K] probabilities, or int [n] classes.
    sample_weight
        float64 [n]; 0 for items that are not trained on.
    rows
        int [g], which items have a hand label; no item twice.
    labels
        int [g], their classes.
    n_classes
        K.
    weight
        Of each gold row, instead of the rule above.

    Returns
    -------
    targets float64 [n, K], sample_weight float64 [n]

    Raises
    ------
    EpoxyError
        If an item is there twice, a label is not a class, or the numbers differ.
    """
    if len(rows) != len(labels) or len(np.unique(rows)) != len(rows):
        raise EpoxyError(
            f"{len(labels)} gold labels for {len(np.unique(rows))} items",
            where="gold labels",
            remedy="Give every item one label.",
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        raise EpoxyError(
            f"a gold label is not a class: {labels.min()} to {labels.max()}",
            where="gold labels",
            remedy=f"Gold labels are 0 to {n_classes - 1}.",
        )
    mixed = np.eye(n_classes)[targets] if targets.ndim == 1 else targets.astype(np.float64)
    mixed[rows] = np.eye(n_classes)[labels]
    weights = np.array(sample_weight, dtype=np.float64)
    weights[rows] = 0
    if weight is None:
        weak = weights.sum()
        average = weak / max(np.count_nonzero(weights), 1)
        weight = max(weak / max(_AS_MUCH_AS_ALL, len(rows)), average) or 1.0
    weights[rows] = weight
    return mixed, weights
