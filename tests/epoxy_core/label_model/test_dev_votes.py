import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.dev_votes import dev_interval


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


def test_without_votes_nothing_is_known():
    assert dev_interval(0, 0) == (0, 1)


def test_bad_counts():
    with pytest.raises(EpoxyError, match="5 of 4"):
        dev_interval(5, 4)
    with pytest.raises(EpoxyError, match="level"):
        dev_interval(1, 4, 0)
