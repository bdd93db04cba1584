"""How many gold labels, used directly, are as good as a pipeline's weak labels."""

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.quality.data import TextSet
from epoxy_core.evaluation import score

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
SEEDS = range(5)
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
FOLDS = 5


class Point(NamedTuple):
    """Test accuracies, one per seed, after training on ``size`` gold labels."""

    size: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.accuracies))


def learning_curve(texts: TextSet, embeddings: npt.NDArray[np.float32]) -> list[Point]:
    """Logistic regression on stratified random subsets of the valid items, and on all of them.

    scikit-learn's C is chosen by cross-validation within the subset.
    """
    valid, test = np.flatnonzero(texts.valid), texts.test
    gold = texts.gold[valid]
    curve = []
    for size in [*(size for size in SIZES if size < len(valid)), len(valid)]:
        seeds = SEEDS if size < len(valid) else SEEDS[:1]
        accuracies = []
        for seed in seeds:
            rows = valid[stratified(gold, size, seed)]
            probabilities = _regression(embeddings, texts.gold, rows, texts.n_classes, seed)
            accuracies.append(score(probabilities[test], texts.gold[test]).accuracy)
        curve.append(Point(size, tuple(accuracies)))
    return curve


def stratified(gold: npt.NDArray[np.integer], size: int, seed: int) -> npt.NDArray[np.intp]:
    """Draw rows with the classes' shares of ``gold``, remainders to the largest fractions."""
    draw = np.random.default_rng(seed)
    classes, counts = np.unique(gold, return_counts=True)
    exact = counts * size / len(gold)
    take = np.floor(exact).astype(int)
    order = np.argsort(-(exact - take), kind="stable")
    take[order[: size - take.sum()]] += 1
    rows = [
        draw.permutation(np.flatnonzero(gold == label))[:count]
        for label, count in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(rows))


def worth(curve: Sequence[Point], accuracy: float) -> int | None:
    """Find the fewest gold labels that reach an accuracy; None where all of them do not.

    The curve of means is made to rise (each point the best so far) and read linearly between
    points. What the first point reaches is worth at most its size, which is returned.
    """
    sizes = [point.size for point in curve]
    risen = list(itertools.accumulate((point.mean for point in curve), max))
    at = next((at for at, mean in enumerate(risen) if mean >= accuracy - 1e-12), None)
    if at is None:
        return None
    if at == 0:
        return sizes[0]
    share = (accuracy - risen[at - 1]) / (risen[at] - risen[at - 1])
    between = sizes[at - 1] + share * (sizes[at] - sizes[at - 1])
    return math.ceil(round(between, 6))


def _regression(
    embeddings: npt.NDArray[np.float32],
    gold: npt.NDArray[np.int8],
    rows: npt.NDArray[np.intp],
    n_classes: int,
    seed: int,
) -> npt.NDArray[np.float64]:
    from sklearn.exceptions import FitFailedWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    model = LogisticRegression(max_iter=1000)
    folds = min(FOLDS, int(np.bincount(gold[rows]).max()))
    if folds > 1:
        split = StratifiedKFold(folds, shuffle=True, random_state=seed)
        model = GridSearchCV(model, {"C": PENALTIES}, cv=split, error_score=0.0)
    with warnings.catch_warnings():
        # Some folds lack a class, or all classes but one: the latter score 0.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FitFailedWarning)
        model.fit(embeddings[rows], gold[rows])
    probabilities = np.zeros((len(embeddings), n_classes))
    probabilities[:, np.unique(gold[rows])] = model.predict_proba(embeddings)
    return probabilities
