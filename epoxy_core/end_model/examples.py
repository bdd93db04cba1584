"""What a head learns from: rows of the embeddings, their targets and their weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

_LEAST_MASS = 1e-3  # of an item: a class with less in the whole training set is not in it

Embeddings = npt.NDArray[np.float32] | npt.NDArray[np.float16]
Floats = npt.NDArray[np.float64]
Targets = npt.NDArray[np.integer] | npt.NDArray[np.floating]
Labels = Literal["hard", "soft"]


class OneClassError(EpoxyError):
    """There is nothing to tell apart."""


@dataclass(frozen=True)
class Examples:
    """The rows to learn from, read where they lie, a chunk at a time.

    Attributes
    ----------
    embeddings
        float32 or float16 [N, d], possibly memory-mapped.
    rows
        int [n], which of them.
    targets
        int [n] classes, or float32 [n, K] probabilities.
    weight
        float32 [n].
    """

    embeddings: Embeddings
    rows: npt.NDArray[np.intp]
    targets: npt.NDArray[Any]
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def chunks(self, size: int) -> Iterator[tuple[npt.NDArray[np.float32], Any, Any]]:
        """Embeddings, targets and weights of ``size`` rows at a time."""
        for first in range(0, len(self), size):
            part = slice(first, first + size)
            rows = self.rows[part]
            if (np.diff(rows) == 1).all():  # ascending without a gap: no copy
                x = self.embeddings[rows[0] : rows[-1] + 1]
            else:
                x = self.embeddings[rows]
            yield np.asarray(x, dtype=np.float32), self.targets[part], self.weight[part]

    def blocks(self, size: int) -> list["Examples"]:
        """The same rows in portions of ``size``."""
        return [self.at(slice(first, first + size)) for first in range(0, len(self), size)]

    def sampled(self, size: int) -> "Examples":
        """Every ⌈n/size⌉-th row, weighted so that sums stay comparable."""
        sample = self.at(slice(None, None, -(-len(self) // size)))
        return replace(sample, weight=sample.weight * np.float32(len(self) / len(sample)))

    def class_mass(self, n_classes: int) -> Floats:
        """float64 [K], the weight of each class."""
        if self.targets.ndim == 1:
            mass = np.bincount(self.targets, weights=self.weight, minlength=n_classes)
            return mass.astype(np.float64)
        return np.asarray(self.weight.astype(np.float64) @ self.targets)

    def at(self, part: slice | npt.NDArray[np.intp]) -> "Examples":
        """Some of them, in the order given."""
        return Examples(self.embeddings, self.rows[part], self.targets[part], self.weight[part])


def make_examples(
    embeddings: Embeddings,
    targets: Targets,
    sample_weight: Floats | None,
    labels: Labels,
    n_classes: int,
) -> tuple[Examples, npt.NDArray[np.intp]]:
    """Check what a head is given to learn from.

    Parameters
    ----------
    embeddings
        float32 or float16 [n, d].
    targets
        float [n, K] probabilities, or int [n] classes.
    sample_weight
        float64 [n]; ones when absent. Rows of weight 0 are left out, and their targets may be
        anything.
    labels
        ``hard``: of probabilities, take the most probable class.
    n_classes
        K.

    Returns
    -------
    examples, seen
        Rows of positive weight; the classes that are among them, in ascending order. Targets
        count in ``seen``, not in classes: position i stands for class seen[i].

    Raises
    ------
    EpoxyError
        If numbers of rows or of classes do not match, or a weight is negative.
    OneClassError
        If the examples are of fewer than two classes.
    """
    weight = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight)
    if not len(embeddings) == len(targets) == len(weight):
        raise EpoxyError(
            f"{len(embeddings)} embeddings for {len(targets)} labels and {len(weight)} weights",
            where="training set",
            remedy="Give all in the order of the items.",
        )
    if targets.ndim == 2 and targets.shape[1] != n_classes:
        raise EpoxyError(
            f"probabilities of {targets.shape[1]} classes for a head of {n_classes}",
            where="training set",
            remedy="Give one column per class.",
        )
    if not (np.isfinite(weight).all() and weight.min(initial=0) >= 0):
        raise EpoxyError(
            "a sample weight is negative or not a number",
            where="training set",
            remedy="Give 0 to leave a row out.",
        )
    rows = np.flatnonzero(weight)
    chosen = targets[rows] if len(rows) < len(targets) else targets
    if labels == "hard" and targets.ndim == 2:
        chosen = chosen.argmax(axis=1)
    examples = Examples(embeddings, rows, chosen, weight[rows].astype(np.float32))
    mass = examples.class_mass(n_classes)
    seen = np.flatnonzero(mass > (_LEAST_MASS if chosen.ndim == 2 else 0))
    if len(seen) < 2:
        raise OneClassError(
            f"an end model needs items of two classes; there are items of {len(seen)}",
            where="training set",
            remedy="Test items are never trained on, nor are a few dev labels: lower labels.dev "
            "and labels.test if they leave too few. Or add labeling functions for the "
            "other classes, raise training_set.keep, or set end_model: null.",
        )
    return replace(examples, targets=_among(chosen, seen, n_classes)), seen


def _among(
    targets: npt.NDArray[Any], seen: npt.NDArray[np.intp], n_classes: int
) -> npt.NDArray[Any]:
    if targets.ndim == 1:
        position = np.zeros(n_classes, dtype=np.intp)
        position[seen] = np.arange(len(seen))
        return np.asarray(position[targets])
    kept = targets[:, seen].astype(np.float32)
    total = kept.sum(axis=1, keepdims=True)
    even = np.full_like(kept, 1 / len(seen))
    return np.asarray(np.divide(kept, total, out=even, where=total > 0))
