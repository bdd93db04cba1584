from dataclasses import asdict

import numpy as np
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import score


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
