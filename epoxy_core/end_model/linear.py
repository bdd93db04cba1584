"""A linear head on frozen embeddings: multinomial logistic regression."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

_LEAST_WEIGHT = 1e-3

Floats = npt.NDArray[np.float64]


class LinearHead:
    """Multinomial logistic regression (scikit-learn, L-BFGS), without class weights.

    Parameters
    ----------
    n_classes
        K.
    l2
        Strength of the penalty, the inverse of scikit-learn's C.
    labels
        ``hard`` trains on the most probable class of each item. ``soft`` on every class an item
        has at least 0.1 % of, weighted by its probability.

    Attributes
    ----------
    weights_
        float64 [K, d].
    bias_
        float64 [K]; −inf for a class that no training item has, which is never predicted.
    """

    def __init__(
        self, n_classes: int, l2: float = 1.0, labels: Literal["hard", "soft"] = "hard"
    ) -> None:
        self.n_classes = n_classes
        self.l2 = l2
        self.labels = labels

    def fit(
        self,
        embeddings: npt.NDArray[np.float32],
        targets: npt.NDArray[np.integer] | Floats,
        sample_weight: Floats | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        embeddings
            float32 [n, d].
        targets
            float [n, K] probabilities, or int [n] classes.
        sample_weight
            float64 [n]; ones when absent.

        Raises
        ------
        EpoxyError
            If the training items are of fewer than two classes, or their numbers do not match.
        """
        from sklearn.linear_model import LogisticRegression

        if len(embeddings) != len(targets):
            raise EpoxyError(
                f"{len(embeddings)} embeddings for {len(targets)} labels",
                where="training set",
                remedy="Give both in the order of the items.",
            )
        rows, classes, weight = self._examples(targets, sample_weight)
        seen = np.unique(classes)
        if len(seen) < 2:
            raise EpoxyError(
                f"an end model needs items of two classes; there are items of {len(seen)}",
                where="training set",
                remedy="Dev and test items stay out of training: lower labels.dev and labels.test "
                "if they leave too few. Or add labeling functions for the other classes, raise "
                "training_set.keep, or set end_model: null.",
            )
        examples = embeddings if len(rows) == len(embeddings) else embeddings[rows]
        model = LogisticRegression(C=1 / self.l2, max_iter=1000)
        model.fit(examples, classes, sample_weight=weight)
        weights = np.asarray(model.coef_, dtype=np.float64)
        bias = np.asarray(model.intercept_, dtype=np.float64)
        if len(seen) == 2:
            weights, bias = np.outer([-0.5, 0.5], weights), np.outer([-0.5, 0.5], bias)
        self.weights_ = np.zeros((self.n_classes, embeddings.shape[1]))
        self.bias_ = np.full(self.n_classes, -np.inf)
        self.weights_[seen], self.bias_[seen] = weights, bias.reshape(-1)
        return self

    def predict_proba(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """float64 [n, K], rows sum to 1."""
        logits = embeddings @ self.weights_.T + self.bias_
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def save(self, path: Path, *, classes: Sequence[str], encoder: str) -> None:
        """Write a safetensors file, whole or not at all.

        Parameters
        ----------
        path
            The file; its folder exists.
        classes
            Names of the K classes.
        encoder
            Fingerprint of the encoder whose embeddings it was trained on.
        """
        from safetensors.numpy import save

        metadata = {
            "classes": json.dumps(list(classes), ensure_ascii=False),
            "encoder": encoder,
            "settings": json.dumps({"l2": self.l2, "labels": self.labels}),
        }
        part = path.with_name(path.name + ".part")
        part.write_bytes(save({"weights": self.weights_, "bias": self.bias_}, metadata))
        os.replace(part, path)

    @classmethod
    def load(cls, path: Path, *, encoder: str | None = None) -> tuple[Self, list[str]]:
        """Read a saved head and the names of its classes.

        Parameters
        ----------
        path
            A file written by `save`.
        encoder
            If given, the fingerprint of the encoder in use.

        Raises
        ------
        EpoxyError
            If there is no such file, it is not a saved head, or it was trained on another
            encoder's embeddings.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata()
                settings = json.loads(metadata["settings"])
                classes: list[str] = json.loads(metadata["classes"])
                head = cls(len(classes), settings["l2"], settings["labels"])
                head.weights_, head.bias_ = file.get_tensor("weights"), file.get_tensor("bias")
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise EpoxyError(
                f"not a saved end model: {error}",
                where=str(path),
                remedy="Materialise the task's end_model asset again.",
            ) from error
        if encoder is not None and metadata["encoder"] != encoder:
            raise EpoxyError(
                f"trained on embeddings of {metadata['encoder']}, not of {encoder}",
                where=str(path),
                remedy="Load it with the encoder it was trained on, or train it again.",
            )
        return head, classes

    def _examples(
        self, targets: npt.NDArray[np.integer] | Floats, sample_weight: Floats | None
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
        """Rows, their classes and their weights: one per item, or one per item and class."""
        n = len(targets)
        base = np.ones(n) if sample_weight is None else sample_weight
        if self.labels == "hard" or targets.ndim == 1:
            classes = targets if targets.ndim == 1 else targets.argmax(axis=1)
            return np.arange(n), classes.astype(np.intp), base
        rows, classes = np.nonzero(targets >= _LEAST_WEIGHT)
        return rows, classes, base[rows] * targets[rows, classes]
