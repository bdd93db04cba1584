import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.dev_votes import combined_interval, dev_interval


def test_wilson_by_hand():
    # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3.
    for right, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                                (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)]:  # fmt: skip
        assert dev_interval(right, n, 0.95) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_solves_its_equation(n, data):
    right = data.draw(st.integers(0, n))
    low, high = dev_interval(right, n)
    assert 0 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            gap = abs(right / n - end)
            assert gap == pytest.approx(1.6448536 * np.sqrt(end * (1 - end) / n), rel=1e-5)


def test_no_dev_votes_change_nothing():
    assert dev_interval(0, 0) == (0, 1)
    assert combined_interval(0.7, 0.6, 0.9, 0, 0) == (0.7, 0.6, 0.9)


def test_dev_votes_sharpen_an_estimate():
    estimate, low, high = combined_interval(0.7, 0.55, 0.85, 40, 50)
    assert 0.7 < estimate < 0.8
    assert high - low < min(0.3, np.subtract(*dev_interval(40, 50)[::-1]))
    # Of very many, they alone count.
    estimate, low, high = combined_interval(0.7, 0.55, 0.85, 8000, 10_000)
    assert (estimate, low, high) == pytest.approx((0.8, *dev_interval(8000, 10_000)), abs=2e-3)


def test_dev_votes_overrule_an_estimate_they_contradict():
    assert combined_interval(0.9, 0.88, 0.92, 20, 50) == (0.4, *dev_interval(20, 50))


def test_a_true_prior_keeps_its_coverage():
    draw = np.random.default_rng(0)
    hits = []
    for _ in range(2000):
        truth = draw.beta(14, 6)
        right = draw.binomial(30, truth)
        _, low, high = combined_interval(0.7, 0.53, 0.86, int(right), 30)
        hits.append(low <= truth <= high)
    assert 0.87 < np.mean(hits) < 0.95


def test_bad_counts():
    with pytest.raises(EpoxyError, match="5 of 4"):
        dev_interval(5, 4)
    with pytest.raises(EpoxyError, match="level"):
        dev_interval(1, 4, 0)
