"""Predictions of every item by a head that did not see it."""

from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.examples import Embeddings, Floats, OneClassError, Targets
from epoxy_core.end_model.head import EndModelHead
from epoxy_core.errors import EpoxyError


def assign_folds(keys: Sequence[str], folds: int = 5, seed: int = 0) -> npt.NDArray[np.int16]:
    """Assign items to folds by a hash of their keys.

    An item keeps its fold when others come or go. Equal keys share a fold: with content hashes
    for keys, a text and its copy are never on both sides.

    Parameters
    ----------
    keys
        Of n items.
    folds
        How many.
    seed
        Another seed, other folds.

    Returns
    -------
    int16 [n], 0 to folds − 1
    """
    salt = seed.to_bytes(8, "little", signed=True)
    hashes = (blake2b(key.encode(), digest_size=8, salt=salt).digest() for key in keys)
    drawn = np.frombuffer(b"".join(hashes), dtype="<u8")
    return (drawn % np.uint64(folds)).astype(np.int16)


def out_of_fold(
    make_head: Callable[[], EndModelHead],
    embeddings: Embeddings,
    targets: Targets,
    sample_weight: Floats | None = None,
    *,
    folds: int | npt.NDArray[np.integer] = 5,
    seed: int = 0,
) -> Floats:
    """Predict each fold by a head trained on the others.

    Rows of weight 0 train no head and are predicted by their fold's head like all others: every
    row's probabilities come from one head that has seen as many items and never this one, so
    they compare, and a calibration fitted on the training rows holds for the rest. (The mean of
    all heads would be a little surer of the rest than of the training rows, and a head trained
    on everything likewise.)

    Where the other folds hold items of one class only, as when all videos of the other are in this
    one, no head can be trained: the fold's rows get the classes' shares in the whole.

    Parameters
    ----------
    make_head
        Gives a head that is still to be trained.
    embeddings
        float32 or float16 [n, d].
    targets
        float [n, K] probabilities, or int [n] classes.
    sample_weight
        float64 [n]; ones when absent.
    folds
        Each row's fold (`assign_folds`), or their number, to draw folds by position.
    seed
        For the latter.

    Returns
    -------
    float64 [n, K]

    Raises
    ------
    EpoxyError
        If there are fewer than two folds, or items of one class only.
    """
    n = len(embeddings)
    drawn = isinstance(folds, int)
    fold = np.random.default_rng(seed).permutation(n) % folds if drawn else np.asarray(folds)
    weight = np.ones(n) if sample_weight is None else sample_weight
    names = np.unique(fold)
    if len(fold) != n or len(names) < 2:
        raise EpoxyError(
            f"{len(fold)} items in {len(names)} folds for {n} embeddings",
            where="out-of-fold predictions",
            remedy="Give each item a fold, and at least two of them.",
        )
    found = np.empty((n, make_head().n_classes))
    failed: OneClassError | None = None
    trained = 0
    for name in names:
        rows = np.flatnonzero(fold == name)
        head = make_head()
        try:
            head.fit(embeddings, targets, np.where(fold == name, 0.0, weight))
        except OneClassError as error:
            found[rows], failed = _shares(targets, weight, head.n_classes), error
            continue
        trained += 1
        for part in np.array_split(rows, -(-len(rows) // 65_536)):
            found[part] = head.predict_proba(embeddings[part])
    if failed and not trained:
        raise failed
    return found


def _shares(targets: Targets, weight: Floats, n_classes: int) -> Floats:
    """float64 [K], of the weighted targets."""
    used = weight > 0
    each = np.eye(n_classes)[targets[used]] if targets.ndim == 1 else targets[used]
    total = weight[used] @ each
    return np.asarray(total / total.sum())
