import numpy as np
import pytest

from benchmarks.quality.data import TextSet
from benchmarks.quality.scores import scores, then_regression


def test_two_classes_have_the_f1_of_class_1():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]])
    found = scores(probabilities, np.array([0, 1, 0, 1]))
    assert found.accuracy == 0.5
    assert found.f1 == pytest.approx(2 * 1 / (2 * 1 + 1 + 1))


def test_more_classes_have_the_mean_f1():
    probabilities = np.eye(3)[[0, 1, 1, 2]]
    found = scores(probabilities, np.array([0, 1, 2, 2]))
    assert found.accuracy == 0.75
    assert found.f1 == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)


def test_a_tie_is_a_share_of_each_class():
    probabilities = np.array([[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]])
    found = scores(probabilities, np.array([0, 1, 1]))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 * 1.5 / (2 + 2))


@pytest.fixture
def corners():
    """Eight train items at two corners, a test item at each."""
    right = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, 1])
    embeddings = np.eye(2, dtype=np.float32)[right]
    train = np.arange(10) < 8
    none = np.zeros(10, dtype=np.bool_)
    texts = TextSet(
        "corners", ("a", "b", "c"), ("",) * 10, -np.ones((10, 1), dtype=np.int8),
        right.astype(np.int8), train, none, ~train, (),
    )  # fmt: skip
    return texts, embeddings, right


def test_regression_learns_from_covered_train_items_that_do_not_tie(corners):
    texts, embeddings, right = corners
    probabilities = np.eye(3)[np.where(right == 0, 0, 2)]
    probabilities[[0, 4]] = [0.5, 0.0, 0.5]  # ties, of which argmax would make class 0
    probabilities[[1, 5]] = [0.0, 1.0, 0.0]  # uncovered
    probabilities[8:] = [0.0, 1.0, 0.0]  # not train
    covered = ~np.isin(np.arange(10), [1, 5])
    predicted = then_regression(texts, embeddings, probabilities, covered)
    assert predicted.argmax(axis=1).tolist() == np.where(right == 0, 0, 2).tolist()
    assert (predicted[:, 1] == 0).all()
    np.testing.assert_allclose(predicted.sum(axis=1), 1)


def test_regression_on_one_class_or_none(corners):
    texts, embeddings, _ = corners
    every = np.ones(10, dtype=np.bool_)
    one = then_regression(texts, embeddings, np.tile([0.1, 0.8, 0.1], (10, 1)), every)
    assert (one == [0, 1, 0]).all()
    none = then_regression(texts, embeddings, np.full((10, 3), 1 / 3), every)
    assert (none == 1 / 3).all()
