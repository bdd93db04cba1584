"""A linear head on frozen embeddings: multinomial logistic regression."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.calibration import Scaling
from epoxy_core.end_model.examples import Embeddings, Floats, Labels, Targets, make_examples
from epoxy_core.end_model.head import EndModelHead
from epoxy_core.end_model.softmax_regression import fit_softmax


class LinearHead(EndModelHead):
    """Multinomial logistic regression without class weights; scikit-learn's optimum.

    Parameters
    ----------
    n_classes
        K.
    l2
        Strength of the penalty, the inverse of scikit-learn's C.
    labels
        ``hard`` trains on the most probable class of each item, ``soft`` on the cross-entropy
        against its probabilities.

    Attributes
    ----------
    weights_
        float64 [K, d].
    bias_
        float64 [K]; −inf for a class that no training item has, which is never predicted.
    """

    kind: ClassVar[str] = "linear"

    def __init__(self, n_classes: int, l2: float = 1.0, labels: Labels = "hard") -> None:
        self.n_classes = n_classes
        self.l2 = l2
        self.labels = labels

    def fit(
        self, embeddings: Embeddings, targets: Targets, sample_weight: Floats | None = None
    ) -> Self:
        """See `EndModelHead.fit`."""
        examples, seen = make_examples(
            embeddings, targets, sample_weight, self.labels, self.n_classes
        )
        self.weights_ = np.zeros((self.n_classes, embeddings.shape[1]))
        self.bias_ = np.full(self.n_classes, -np.inf)
        self.weights_[seen], self.bias_[seen] = fit_softmax(examples, len(seen), self.l2)
        self.scaling_ = Scaling()
        return self

    def logits(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """See `EndModelHead.logits`."""
        return np.asarray(embeddings @ self.weights_.T.astype(np.float32) + self.bias_)

    @property
    def dimension(self) -> int:
        """See `EndModelHead.dimension`."""
        return int(self.weights_.shape[1])

    def settings(self) -> dict[str, Any]:
        """See `EndModelHead.settings`."""
        return {"l2": self.l2, "labels": self.labels}

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """See `EndModelHead.tensors`."""
        return {"weights": self.weights_, "bias": self.bias_}

    def restore(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Self:
        """See `EndModelHead.restore`."""
        self.weights_, self.bias_ = tensors["weights"], tensors["bias"]
        self.scaling_ = Scaling()
        return self
