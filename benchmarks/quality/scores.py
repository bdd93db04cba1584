"""One score for everything, and the logistic regression that follows every label model."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.quality.data import TextSet
from epoxy_core.evaluation import score

Floats = npt.NDArray[np.float64]

_TIE = 1e-9


class Scores(NamedTuple):
    """Accuracy and, of two classes, the F1 of class 1, otherwise the mean F1; in [0, 1]."""

    accuracy: float
    f1: float


def scores(probabilities: Floats, gold: npt.NDArray[np.integer]) -> Scores:
    """Score float64 [n, K] against classes; a tie of t classes is 1/t of each."""
    found = score(probabilities, gold)
    two = probabilities.shape[1] == 2
    return Scores(found.accuracy, found.per_class[1].f1 if two else found.macro_f1)


def then_regression(
    texts: TextSet,
    embeddings: npt.NDArray[np.float32],
    probabilities: Floats,
    covered: npt.NDArray[np.bool_],
) -> Floats:
    """Train on the train items' most probable classes, predict all items.

    Items that nothing voted on, and those whose most probable classes tie, have no label to train
    on. Where all labels are of one class, so are the predictions.

    Parameters
    ----------
    texts
        The set.
    embeddings, probabilities, covered
        float32 [n, d], float64 [n, K] and bool [n] of all items.
    """
    from sklearn.linear_model import LogisticRegression

    top = probabilities.max(axis=1, keepdims=True)
    clear = (probabilities >= top - _TIE).sum(axis=1) == 1
    rows = np.flatnonzero(texts.train & covered & clear)
    labels = probabilities[rows].argmax(axis=1)
    predicted = np.zeros((len(embeddings), texts.n_classes))
    seen = np.unique(labels)
    if len(seen) < 2:
        predicted[:, seen] = 1
        return predicted if len(seen) else predicted + 1 / texts.n_classes
    model = LogisticRegression(max_iter=1000).fit(embeddings[rows], labels)
    predicted[:, seen] = model.predict_proba(embeddings)
    return predicted
