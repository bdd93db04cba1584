import numpy as np
import pytest

from epoxy_core.end_model import LinearHead, mix_gold
from epoxy_core.errors import EpoxyError


def test_gold_rows_replace_weak_ones_and_nothing_given_changes():
    targets = np.array([[0.6, 0.4], [0.3, 0.7], [0.5, 0.5], [0.9, 0.1]])
    weight = np.array([1.0, 1.0, 0.0, 1.0])
    before = targets.copy(), weight.copy()
    mixed, weights = mix_gold(targets, weight, np.array([2, 3]), np.array([1, 0]), 2, weight=5)
    np.testing.assert_array_equal(mixed, [[0.6, 0.4], [0.3, 0.7], [0, 1], [1, 0]])
    np.testing.assert_array_equal(weights, [1, 1, 5, 5])
    np.testing.assert_array_equal(targets, before[0])
    np.testing.assert_array_equal(weight, before[1])
    from_classes, _ = mix_gold(np.array([0, 1, 0, 0]), weight, np.array([2]), np.array([1]), 2)
    np.testing.assert_array_equal(from_classes, [[1, 0], [0, 1], [0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("weak", "gold", "each"), [(2000, 10, 5.0), (2000, 800, 2.5), (100, 10, 1.0), (0, 10, 1.0)]
)
def test_the_more_gold_the_larger_its_share_up_to_a_half(weak, gold, each):
    weight = np.r_[np.ones(weak), np.zeros(gold)]
    rows = np.arange(weak, weak + gold)
    _, weights = mix_gold(np.zeros(weak + gold, dtype=int), weight, rows, rows % 2, 2)
    np.testing.assert_allclose(weights[rows], each)


def test_gold_mends_what_heuristics_get_wrong():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(2000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    truth = (vectors[:, 0] > 0).astype(int)
    heuristic = (vectors[:, 0] + vectors[:, 1] > 0).astype(int)
    weight = np.r_[np.ones(1800), np.zeros(200)]
    alone = LinearHead(2).fit(vectors, heuristic, weight)
    mixed, weights = mix_gold(heuristic, weight, np.arange(1800, 1950), truth[1800:1950], 2)
    helped = LinearHead(2).fit(vectors, mixed, weights)
    right = [
        (h.predict_proba(vectors[1950:]).argmax(axis=1) == truth[1950:]) for h in (alone, helped)
    ]
    assert right[1].mean() > right[0].mean()


def test_bad_gold_is_refused():
    weight = np.ones(3)
    targets = np.zeros(3, dtype=int)
    with pytest.raises(EpoxyError, match="2 gold labels for 1 items"):
        mix_gold(targets, weight, np.array([1, 1]), np.array([0, 1]), 2)
    with pytest.raises(EpoxyError, match="not a class: -1 to 0"):
        mix_gold(targets, weight, np.array([0, 1]), np.array([-1, 0]), 2)
    mixed, weights = mix_gold(targets, weight, np.array([], dtype=int), np.array([], dtype=int), 2)
    np.testing.assert_array_equal(weights, weight)
    assert mixed.shape == (3, 2)
