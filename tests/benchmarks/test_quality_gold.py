import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from benchmarks.quality.data import TextSet
from benchmarks.quality.gold import Point, learning_curve, stratified, worth

CURVE = [Point(10, (0.5, 0.7)), Point(20, (0.7,)), Point(50, (0.65,)), Point(100, (0.9,))]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """As the benchmark runs: hundreds of tiny regressions would wait for one another's threads."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize(
    ("accuracy", "labels"),
    [
        (0.3, 10),
        (0.6, 10),
        (0.65, 15),
        (0.7, 20),  # the dip at 50 is raised to what 20 reached
        (0.8, 75),
        (0.801, 76),
        (0.9, 100),
        (0.91, None),
    ],
)
def test_worth_is_read_off_the_risen_curve(accuracy, labels):
    assert worth(CURVE, accuracy) == labels


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0, 1), st.floats(0, 1))
def test_a_better_method_is_never_worth_less(means, one, other):
    curve = [Point(10 * 2**i, (mean,)) for i, mean in enumerate(means)]
    low, high = sorted((one, other))
    most = curve[-1].size + 1
    assert (worth(curve, low) or most) <= (worth(curve, high) or most)


@given(st.integers(0, 2**31), st.integers(1, 60))
def test_subsets_have_the_classes_shares(seed, size):
    gold = np.repeat([0, 1, 3], [30, 20, 10])
    rows = stratified(gold, size, seed)
    assert len(set(rows.tolist())) == size
    counts = np.array([(gold[rows] == label).sum() for label in (0, 1, 3)])
    assert (np.abs(counts - size * np.array([0.5, 1 / 3, 1 / 6])) < 1).all()


def test_subsets_differ_by_seed_and_not_by_run():
    gold = np.repeat([0, 1], 50)
    assert stratified(gold, 10, 0).tolist() == stratified(gold, 10, 0).tolist()
    assert stratified(gold, 10, 0).tolist() != stratified(gold, 10, 1).tolist()


def test_curve_reads_gold_labels_of_valid_items_only():
    draw = np.random.default_rng(0)
    gold = draw.integers(0, 3, 72).astype(np.int8)
    embeddings = np.eye(3, 4, dtype=np.float32)[gold] + draw.normal(0, 0.05, (72, 4))
    split = np.repeat([0, 1, 2], 24)
    shown = np.where(split == 0, np.int8(-1), gold)
    texts = TextSet(
        "clear", ("a", "b", "c"), ("",) * 72, -np.ones((72, 1), dtype=np.int8), shown,
        split == 0, split == 1, split == 2, (),
    )  # fmt: skip
    curve = learning_curve(texts, embeddings.astype(np.float32))
    assert [(point.size, len(point.accuracies)) for point in curve] == [(10, 5), (20, 5), (24, 1)]
    assert curve[-1].mean > 0.95
    assert worth(curve, 0.95) is not None


def test_a_class_with_one_item_is_no_obstacle():
    gold = np.array([0] * 11 + [1] + [0, 1], dtype=np.int8)
    split = np.array([1] * 12 + [2] * 2)
    embeddings = np.eye(2, dtype=np.float32)[gold]
    texts = TextSet(
        "skewed", ("a", "b"), ("",) * 14, -np.ones((14, 1), dtype=np.int8), gold,
        split == 0, split == 1, split == 2, (),
    )  # fmt: skip
    assert learning_curve(texts, embeddings)[-1].size == 12
