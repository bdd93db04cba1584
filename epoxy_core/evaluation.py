"""Scores of probabilistic labels against gold labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class's scores, and how many gold items it has; 0/0 is 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Score:
    """Scores over ``n`` gold items. `dataclasses.asdict` makes a plain dictionary of it.

    Attributes
    ----------
    accuracy
        Over all gold items.
    macro_f1
        Mean F1 of the classes that are in the gold labels or predicted.
    per_class
        In class order, so that the F1 of a two-class task's positive is ``per_class[1].f1``.
    coverage
        Share of gold items that have a vote.
    accuracy_covered
        Accuracy over those; 0 if there are none.
    """

    n: int
    accuracy: float
    macro_f1: float
    per_class: tuple[ClassScore, ...]
    coverage: float
    accuracy_covered: float


def score(
    probabilities: npt.NDArray[np.float64],
    gold: npt.NDArray[np.integer],
    covered: npt.NDArray[np.bool_] | None = None,
) -> Score:
    """Score P(class) against gold labels; ties count as a fraction.

    The prediction is the most probable class. Where t classes tie for it, each is 1/t of a
    prediction, so the tie is 1/t correct if it holds the gold class. No item is left out: one
    without votes counts by its posterior, the class balance, and if that is uniform it is 1/K
    correct.

    Parameters
    ----------
    probabilities
        float64 [n, K].
    gold
        int [n], classes.
    covered
        bool [n], items that have a vote; all when absent.

    Raises
    ------
    EpoxyError
        If there are no gold labels, their number differs from that of the rows, or one is not a
        class.
    """
    n, n_classes = _checked(probabilities, gold)
    predicted = _predicted(probabilities)
    confusion = np.zeros((n_classes, n_classes))
    np.add.at(confusion, gold, predicted)
    right = predicted[np.arange(n), gold]
    voted = np.ones(n, dtype=np.bool_) if covered is None else covered

    supports, claims, hits = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    per_class = tuple(
        ClassScore(
            precision=_ratio(hits[k], claims[k]),
            recall=_ratio(hits[k], supports[k]),
            f1=_ratio(2 * hits[k], claims[k] + supports[k]),
            support=round(supports[k]),
        )
        for k in range(n_classes)
    )
    present = supports + claims > 0
    return Score(
        n=n,
        accuracy=float(right.mean()),
        macro_f1=float(
            np.mean([s.f1 for s, there in zip(per_class, present, strict=True) if there])
        ),
        per_class=per_class,
        coverage=float(voted.mean()),
        accuracy_covered=_ratio(float(right[voted].sum()), float(voted.sum())),
    )


def calibration_error(
    probabilities: npt.NDArray[np.float64],
    gold: npt.NDArray[np.integer],
    bins: int = 10,
    *,
    equal_mass: bool = True,
) -> float:
    """Expected calibration error of the most probable class (Guo et al. 2017).

    Items are binned by their highest probability. The error is the mean, over items, of how far
    the mean highest probability of an item's bin is from the share of the bin that is right. Ties
    count as in `score`. 0 is a model that is right as often as it says, on average in each bin.

    Parameters
    ----------
    probabilities
        float64 [n, K].
    gold
        int [n], classes.
    bins
        At most as many. More see finer faults, and more of the noise: with few items per bin even
        a calibrated model has an error.
    equal_mass
        Bins of about n/bins items (adaptive: Nguyen & O'Connor 2015), items of the same
        probability in the same bin; else bins of the same width from 0 to 1, which leaves nearly
        all items of a sure model in one.

    Raises
    ------
    EpoxyError
        As `score`, and if there is no bin.
    """
    n, _ = _checked(probabilities, gold)
    if bins < 1:
        raise EpoxyError(f"{bins} bins", where="calibration error", remedy="Give at least one.")
    confidence = probabilities.max(axis=1)
    right = _predicted(probabilities)[np.arange(n), gold]
    place = np.searchsorted(np.sort(confidence), confidence) / n if equal_mass else confidence
    number = np.minimum((place * bins).astype(np.int64), bins - 1)
    return float(np.abs(np.bincount(number, confidence - right)).sum() / n)


def _checked(
    probabilities: npt.NDArray[np.float64], gold: npt.NDArray[np.integer]
) -> tuple[int, int]:
    n, n_classes = probabilities.shape
    if len(gold) != n or n == 0:
        raise EpoxyError(
            f"{len(gold)} gold labels for {n} items",
            where="gold labels",
            remedy="Score the items that have a gold label, at least one, in the same order.",
        )
    if gold.min() < 0 or gold.max() >= n_classes:
        raise EpoxyError(
            f"class {int(gold.min()) if gold.min() < 0 else int(gold.max())}",
            where="gold labels",
            remedy=f"Gold labels are 0 to {n_classes - 1}.",
        )
    return n, n_classes


def _predicted(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give each class its share of the prediction."""
    tied = probabilities >= probabilities.max(axis=1, keepdims=True) - _TIE
    return np.asarray(tied / tied.sum(axis=1, keepdims=True))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
