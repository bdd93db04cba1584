import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epoxy_core.end_model import LinearHead


def separable_by(seed, n, d, n_classes, noise=0.2):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(n, d)).astype(np.float32) + 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    logits = 6 * vectors @ generator.normal(size=(d, n_classes))
    gold = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    wrong = generator.random(n) < noise
    gold = np.where(wrong, generator.integers(0, n_classes, n), gold)
    gold[:n_classes] = np.arange(n_classes)
    return vectors, gold


def peer(vectors, classes, l2, weight=None):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=20_000)
    model.fit(vectors.astype(np.float64), classes, sample_weight=weight)
    coefficients, bias = model.coef_, model.intercept_
    if len(coefficients) == 1:
        half = np.array([[-0.5], [0.5]])
        coefficients, bias = half @ coefficients, half @ bias
    return coefficients, bias - bias.mean()


@pytest.mark.parametrize("n", [400, 3000])  # below and above what the principal axes pay for
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("l2", [1.0, 0.05])
def test_coefficients_are_scikit_learns(n, n_classes, l2):
    vectors, classes = separable_by(n_classes, n, 24, n_classes)
    weight = np.random.default_rng(0).uniform(0.2, 3, n)
    head = LinearHead(n_classes, l2=l2).fit(vectors, classes, weight)
    coefficients, bias = peer(vectors, classes, l2, weight)
    np.testing.assert_allclose(head.weights_, coefficients, atol=5e-3)
    np.testing.assert_allclose(head.bias_ - head.bias_.mean(), bias, atol=5e-3)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_soft_targets_are_weighted_copies_of_hard_ones(n_classes):
    vectors, _ = separable_by(1, 500, 16, n_classes)
    targets = np.random.default_rng(2).dirichlet([0.4] * n_classes, 500)
    head = LinearHead(n_classes, labels="soft").fit(vectors, targets)
    coefficients, bias = peer(
        np.repeat(vectors, n_classes, axis=0),
        np.tile(np.arange(n_classes), 500),
        1.0,
        targets.ravel(),
    )
    np.testing.assert_allclose(head.weights_, coefficients, atol=5e-3)
    np.testing.assert_allclose(head.bias_ - head.bias_.mean(), bias, atol=5e-3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_classes=st.integers(2, 6),
    l2=st.sampled_from([0.01, 1.0, 100.0]),
    soft=st.booleans(),
)
def test_the_gradient_vanishes(seed, n_classes, l2, soft):
    vectors, classes = separable_by(seed, 120, 8, n_classes)
    generator = np.random.default_rng(seed)
    weight = generator.uniform(0, 2, 120)
    one_hot = np.eye(n_classes)[classes]
    targets = 0.6 * one_hot + 0.4 * generator.dirichlet(np.ones(n_classes), 120)
    head = LinearHead(n_classes, l2=l2, labels="soft" if soft else "hard").fit(
        vectors, targets, weight
    )
    wanted = targets if soft else np.eye(n_classes)[targets.argmax(axis=1)]
    seen = np.isfinite(head.bias_)
    residual = weight[:, None] * (head.predict_proba(vectors) - wanted)[:, seen]
    two = seen.sum() == 2  # which share one penalised vector
    slope = residual.T @ vectors + (2 if two else 1) * l2 * head.weights_[seen]
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(slope, 0, atol=0.05)


def test_many_rows_in_any_storage_and_in_threads_give_the_same_head(tmp_path):
    vectors, classes = separable_by(3, 70_000, 8, 3)
    head = LinearHead(3).fit(vectors, classes)
    coefficients, _ = peer(vectors, classes, 1.0)
    np.testing.assert_allclose(head.weights_, coefficients, atol=0.02)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    np.testing.assert_array_equal(LinearHead(3).fit(mapped, classes).weights_, head.weights_)
    narrow = LinearHead(3).fit(vectors.astype(np.float16), classes)
    np.testing.assert_allclose(narrow.weights_, head.weights_, atol=0.05)


def test_rows_of_weight_zero_are_not_there():
    vectors, classes = separable_by(4, 900, 12, 3)
    weight = np.where(np.arange(900) % 3 == 0, 0.0, 1.5)
    targets = np.eye(3)[classes]
    targets[weight == 0] = np.nan
    vectors[weight == 0] = np.nan
    head = LinearHead(3, labels="soft").fit(vectors, targets, weight)
    chosen = weight > 0
    alone = LinearHead(3).fit(vectors[chosen], classes[chosen], weight[chosen])
    np.testing.assert_allclose(head.weights_, alone.weights_, atol=1e-4)


def test_perfectly_separable_classes_and_repeated_rows_do_no_harm():
    vectors = np.repeat(np.eye(4, dtype=np.float32), 50, axis=0)
    classes = np.repeat([0, 1, 2, 2], 50)
    head = LinearHead(3, l2=1e-3).fit(vectors, classes)
    assert np.isfinite(head.weights_).all()
    assert (head.predict_proba(vectors).argmax(axis=1) == classes).all()
