from dataclasses import asdict

import numpy as np
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import calibration_error, score


def test_without_ties_it_is_scikit_learn():
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1, 1, 1, 1], size=200)
    gold = generator.integers(4, size=200)
    found = score(probabilities, gold)
    predicted = probabilities.argmax(axis=1)
    assert found.accuracy == pytest.approx(accuracy_score(gold, predicted))
    for k, column in enumerate(zip(*precision_recall_fscore_support(gold, predicted), strict=True)):
        own = found.per_class[k]
        assert (own.precision, own.recall, own.f1, own.support) == pytest.approx(column)
    assert found.macro_f1 == pytest.approx(np.mean([own.f1 for own in found.per_class]))
    assert found.n == 200
    assert found.coverage == 1


def test_ties_count_as_a_fraction():
    probabilities = np.array([[0.5, 0.5, 0], [0.4, 0.4, 0.2], [1 / 3] * 3, [0, 0, 1]])
    found = score(probabilities, np.array([0, 2, 1, 2]))
    assert found.accuracy == pytest.approx((1 / 2 + 0 + 1 / 3 + 1) / 4)
    assert found.per_class[0].precision == pytest.approx((1 / 2) / (1 / 2 + 1 / 2 + 1 / 3))
    assert found.per_class[2].recall == pytest.approx(1 / 2)


def test_uncovered_items_count_by_the_class_balance():
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5]])
    covered = np.array([True, False, False])
    found = score(probabilities, np.array([0, 0, 1]), covered)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.coverage == pytest.approx(1 / 3)
    assert found.accuracy_covered == 1
    assert score(probabilities, np.array([0, 0, 1]), np.zeros(3, bool)).accuracy_covered == 0


def test_a_class_that_never_occurs_is_left_out_of_the_mean():
    found = score(np.array([[1, 0, 0], [0, 1, 0.0]]), np.array([0, 1]))
    assert found.macro_f1 == 1
    assert found.per_class[2].support == 0
    assert asdict(found)["per_class"][2] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}


@pytest.mark.parametrize(
    ("gold", "problem"),
    [([], "0 gold labels"), ([0], "1 gold"), ([0, 2], "class 2"), ([-1, 0], "class -1")],
)
def test_bad_gold_labels(gold, problem):
    with pytest.raises(EpoxyError, match=problem):
        score(np.full((2, 2), 0.5), np.array(gold, dtype=int))


def test_calibration_error_by_hand():
    top = np.array([0.9, 0.9, 0.8, 0.7, 0.6, 0.6])
    probabilities = np.stack([top, 1 - top], axis=1)
    gold = np.array([0, 1, 0, 0, 0, 1])
    # Bins of about two: {.6, .6}, {.7, .8}, {.9, .9} with .5, 1 and .5 of them right.
    by_mass = (2 * abs(0.6 - 0.5) + 2 * abs(0.75 - 1) + 2 * abs(0.9 - 0.5)) / 6
    assert calibration_error(probabilities, gold, bins=3) == pytest.approx(by_mass)
    # Bins of width a half: all in the second.
    by_width = abs(top.mean() - 4 / 6)
    assert calibration_error(probabilities, gold, 2, equal_mass=False) == pytest.approx(by_width)
    # Bins of width a tenth, each probability in its own.
    probabilities = np.stack([top + 0.01, 0.99 - top], axis=1)
    by_width = (2 * abs(0.61 - 0.5) + abs(0.71 - 1) + abs(0.81 - 1) + 2 * abs(0.91 - 0.5)) / 6
    assert calibration_error(probabilities, gold, equal_mass=False) == pytest.approx(by_width)


def test_calibration_error_does_not_depend_on_the_order_and_knows_the_extremes():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1, 1, 1], size=30_000).round(1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    gold = np.array([generator.choice(3, p=row) for row in probabilities])
    shuffle = generator.permutation(30_000)
    for equal_mass in (True, False):
        found = calibration_error(probabilities, gold, equal_mass=equal_mass)
        assert found < 0.015
        again = calibration_error(probabilities[shuffle], gold[shuffle], equal_mass=equal_mass)
        assert again == pytest.approx(found)
    sure_and_wrong = np.eye(3)[(gold + 1) % 3]
    assert calibration_error(sure_and_wrong, gold) == 1
    assert calibration_error(np.full((30_000, 3), 1 / 3), gold) == pytest.approx(0)
    with pytest.raises(EpoxyError, match="0 bins"):
        calibration_error(probabilities, gold, bins=0)
    with pytest.raises(EpoxyError, match="class 3"):
        calibration_error(probabilities[:1], np.array([3]))
