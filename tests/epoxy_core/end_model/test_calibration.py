import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.end_model import Scaling, fit_scaling
from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import calibration_error


def drawn(n=4000, n_classes=3, seed=0):
    """True probabilities and classes drawn from them."""
    generator = np.random.default_rng(seed)
    truth = Scaling().apply(2 * generator.normal(size=(n, n_classes)))
    return truth, (truth.cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)


@pytest.mark.parametrize("distortion", [0.3, 3.0])
def test_temperature_is_recovered_and_the_error_falls(distortion):
    truth, gold = drawn()
    given_ = Scaling(distortion).rescale(truth)
    found = fit_scaling(given_, gold)
    assert found.temperature == pytest.approx(1 / distortion, rel=0.1)
    test, test_gold = drawn(seed=1)
    test = Scaling(distortion).rescale(test)
    after = calibration_error(found.rescale(test), test_gold)
    assert after < 0.03 < 0.1 < calibration_error(test, test_gold)


def test_bias_is_recovered():
    truth, gold = drawn()
    shifted = Scaling(1.0, (1.0, -1.0, 0.0)).rescale(truth)
    found = fit_scaling(shifted, gold, bias=True)
    np.testing.assert_allclose(found.rescale(shifted), truth, atol=0.05)


def test_soft_targets_and_weights():
    truth, _ = drawn(500)
    flat = Scaling(2.0).rescale(truth)
    assert fit_scaling(flat, truth).temperature == pytest.approx(0.5, rel=0.02)
    half = np.r_[np.ones(250), np.zeros(250)]
    mixed = np.r_[flat[:250], truth[250:]]
    assert fit_scaling(mixed, truth, half).temperature == pytest.approx(0.5, rel=0.03)
    with pytest.raises(EpoxyError, match="499 labels for 500 predictions"):
        fit_scaling(flat, truth[:-1])


def test_a_few_items_do_not_make_certainty():
    confident = np.array([[0.9, 0.1]] * 5)
    found = fit_scaling(confident, np.zeros(5, dtype=int))
    assert 0.3 < found.temperature < 1
    assert fit_scaling(np.array([[1.0, 0.0]]), np.array([1])).temperature > 1


@given(st.floats(0.05, 20), st.integers(2, 5), st.integers(0, 100))
def test_rescaling_keeps_order_zeros_and_sums(temperature, n_classes, seed):
    probabilities = np.random.default_rng(seed).dirichlet([1.0] * n_classes, 20)
    probabilities[0] = np.eye(n_classes)[0]
    found = Scaling(temperature).rescale(probabilities)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found[0], probabilities[0])
    np.testing.assert_array_equal(found.argmax(axis=1), probabilities.argmax(axis=1))
    back = Scaling(1 / temperature).rescale(found)
    inside = found.min(axis=1) > 1e-200
    np.testing.assert_allclose(back[inside], probabilities[inside], atol=1e-9)
