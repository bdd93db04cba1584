import numpy as np
import pytest

from epoxy_core.label_model import DawidSkene


def skewed_votes(n=400, n_classes=3, m=4, seed=0):
    generator = np.random.default_rng(seed)
    gold = generator.integers(n_classes, size=n)
    confusion = generator.dirichlet([1.0] * n_classes, size=(m, n_classes)).transpose(0, 2, 1)
    confusion = 0.4 * confusion + 0.6 * np.eye(n_classes)
    votes = np.full((n, m), -1, dtype=np.int8)
    for lf in range(m):
        for row in range(n):
            if generator.random() < 0.7:
                votes[row, lf] = generator.choice(n_classes, p=confusion[lf][:, gold[row]])
    return votes, gold, confusion


def by_loops(votes, n_classes, prior, steps):
    """Dawid–Skene item by item, without patterns, without logarithms."""
    n, m = votes.shape
    posterior = np.tile(np.array(prior), (n, 1))
    for row in range(n):
        cast = [vote for vote in votes[row] if vote >= 0]
        if cast:
            posterior[row] = [cast.count(k) / len(cast) for k in range(n_classes)]
    confusion = counted(votes, posterior, m)
    for _ in range(steps):
        for row in range(n):
            posterior[row] = given(votes[row], confusion, prior)
        confusion = counted(votes, posterior, m)
    return confusion


def counted(votes, posterior, m):
    n_classes = posterior.shape[1]
    confusion = np.ones((m, n_classes, n_classes)) + 20 * np.eye(n_classes)
    for row, lf in np.argwhere(votes >= 0):
        confusion[lf, votes[row, lf]] += posterior[row]
    return confusion / confusion.sum(axis=1, keepdims=True)


def given(cast, confusion, prior):
    weight = np.array(prior)
    for lf, vote in enumerate(cast):
        if vote >= 0:
            weight = weight * confusion[lf, vote]
    return weight / weight.sum()


@pytest.mark.parametrize("balance", [None, [0.5, 0.3, 0.2]])
def test_equals_naive_em(balance):
    votes, _, _ = skewed_votes()
    model = DawidSkene(3, balance, max_iterations=4, tolerance=0).fit(votes)
    assert model.n_iterations_ == 4
    assert not model.converged_
    np.testing.assert_allclose(
        model.confusion_, by_loops(votes, 3, balance or [1 / 3] * 3, steps=4), rtol=1e-10
    )
    probabilities = model.predict_proba(votes)
    for row in range(0, 400, 37):
        expected = given(votes[row], model.confusion_, balance or [1 / 3] * 3)
        np.testing.assert_allclose(probabilities[row], expected)


def test_recovers_confusion_and_accuracy():
    votes, gold, confusion = skewed_votes(n=6000, m=6)
    model = DawidSkene(3).fit(votes)
    assert model.converged_
    np.testing.assert_allclose(model.confusion_.sum(axis=1), 1)
    assert np.abs(model.confusion_ - confusion).max() < 0.06
    right = [(votes[votes[:, lf] >= 0, lf] == gold[votes[:, lf] >= 0]).mean() for lf in range(6)]
    assert np.corrcoef(model.accuracy_, right)[0, 1] > 0.95
    np.testing.assert_allclose(model.accuracy_, right, atol=0.08)


def test_many_lfs_do_not_underflow():
    votes = np.zeros((50, 3000), dtype=np.int8)
    votes[25:] = 1
    probabilities = DawidSkene(2).fit(votes).predict_proba(votes)
    assert np.isfinite(probabilities).all()
    assert (probabilities.argmax(axis=1) == votes[:, 0]).all()
