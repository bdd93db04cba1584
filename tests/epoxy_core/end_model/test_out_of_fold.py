import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.end_model import LinearHead, assign_folds, out_of_fold
from epoxy_core.errors import EpoxyError


def noise(n=300, d=20, seed=0):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(n, d)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, generator.integers(0, 2, n)


def test_each_row_is_predicted_by_the_head_of_the_other_folds():
    vectors, classes = noise()
    weight = np.where(np.arange(300) % 4 == 0, 0.0, 1.0)
    fold = np.arange(300) % 3
    found = out_of_fold(lambda: LinearHead(2), vectors, classes, weight, folds=fold)
    for name in range(3):
        chosen = (fold != name) & (weight > 0)
        head = LinearHead(2).fit(vectors[chosen], classes[chosen])
        expected = head.predict_proba(vectors[fold == name])
        np.testing.assert_allclose(found[fold == name], expected, atol=1e-4)
    assert found.dtype == np.float64


def test_a_label_does_not_move_its_own_prediction():
    vectors, classes = noise()
    found = out_of_fold(lambda: LinearHead(2), vectors, classes, seed=7)
    flipped = classes.copy()
    flipped[5] = 1 - flipped[5]
    again = out_of_fold(lambda: LinearHead(2), vectors, flipped, seed=7)
    np.testing.assert_array_equal(again[5], found[5])
    assert not np.array_equal(again, found)


def test_labels_that_mean_nothing_are_not_learned_by_heart():
    vectors, classes = noise(200, 100)
    inside = LinearHead(2, l2=1e-3).fit(vectors, classes).predict_proba(vectors)
    outside = out_of_fold(lambda: LinearHead(2, l2=1e-3), vectors, classes)
    assert (inside.argmax(axis=1) == classes).mean() > 0.9
    assert (outside.argmax(axis=1) == classes).mean() < 0.65


@given(st.lists(st.text(), max_size=50), st.integers(2, 8), st.integers(-5, 5))
def test_a_fold_is_the_keys_alone(keys, folds, seed):
    found = assign_folds(keys, folds, seed)
    assert len(found) == len(keys)
    assert ((found >= 0) & (found < folds)).all()
    np.testing.assert_array_equal(assign_folds(keys[::-1], folds, seed)[::-1], found)


def test_folds_are_even_and_the_seed_shuffles_them():
    keys = [f"item {number}" for number in range(5000)]
    counts = np.bincount(assign_folds(keys), minlength=5)
    assert counts.min() > 900
    assert (assign_folds(keys) == assign_folds(keys, seed=1)).mean() < 0.25


def test_a_class_that_is_in_one_fold_only_cannot_be_foretold_there():
    vectors, _ = noise(90)
    classes, fold = np.repeat([0, 1, 1], 30), np.repeat([0, 1, 2], 30)
    for targets in (classes, np.eye(2)[classes]):
        found = out_of_fold(lambda: LinearHead(2), vectors, targets, folds=fold)
        np.testing.assert_allclose(found[:30], np.tile([1 / 3, 2 / 3], (30, 1)))
        assert np.ptp(found[30:, 0]) > 0.01
    with pytest.raises(EpoxyError, match="items of two classes"):
        out_of_fold(lambda: LinearHead(2), vectors, np.ones(90, int), folds=fold)


def test_one_fold_is_not_enough():
    vectors, classes = noise(20)
    with pytest.raises(EpoxyError, match="at least two"):
        out_of_fold(lambda: LinearHead(2), vectors, classes, folds=np.zeros(20, dtype=int))
    with pytest.raises(EpoxyError, match="19 items in 2 folds for 20"):
        out_of_fold(lambda: LinearHead(2), vectors, classes, folds=np.arange(19) % 2)
