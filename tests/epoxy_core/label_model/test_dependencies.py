"""LFs that vote alike: copies count once, given pairs are measured, others are left alone."""

import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, both_class, sample
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import DawidSkene
from epoxy_core.label_model.dependencies import dependence, weights
from epoxy_core.label_model.unique_votes import unique_votes


def fitted(votes, k, balance, **settings):
    return DawidSkene(k, balance, abstention="ignored", **settings).fit(votes)


@pytest.mark.parametrize("copies", [1, 2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_copies_count_once(kind, copies):
    parameters = KINDS[kind](4)
    balance = list(parameters.class_balance)
    votes, truth = sample(parameters, 6000, 1)
    copied = np.hstack([votes, *[votes[:, :1]] * copies])
    plain = fitted(votes, 4, balance).predict_proba(votes)
    model = fitted(copied, 4, balance)
    found = model.predict_proba(copied)
    assert np.abs(found - plain).mean() < 0.01
    copy = np.r_[0, np.arange(votes.shape[1], copied.shape[1])]
    np.testing.assert_allclose(model.weights_[copy], 1 / (copies + 1), rtol=0.05)
    off_diagonal = model.dependence_[np.ix_(copy, copy)] + np.eye(len(copy))
    np.testing.assert_allclose(off_diagonal, 1, atol=1e-6)
    right = (plain.argmax(axis=1) == truth).mean()
    assert (found.argmax(axis=1) == truth).mean() == pytest.approx(right, abs=0.01)


def test_without_it_copies_win():
    parameters = both_class(4)
    votes, truth = sample(parameters, 6000, 1)
    copied = np.hstack([votes, *[votes[:, :1]] * 4])
    balance = list(parameters.class_balance)
    deaf = fitted(copied, 4, balance, dependencies=None).predict_proba(copied)
    found = fitted(copied, 4, balance).predict_proba(copied)
    right = [(each.argmax(axis=1) == truth).mean() for each in (deaf, found)]
    assert right[1] > right[0] + 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [2, 4])
def test_independent_lfs_are_left_alone(kind, k):
    votes, _ = sample(KINDS[kind](k), 6000, 2)
    assert not DawidSkene(k).fit(votes).dependence_.any()


@pytest.mark.parametrize("soft", [False, True])
def test_correlations_are_those_of_numpy(soft):
    """Item by item, weighted, with `np.cov`."""
    generator = np.random.default_rng(0)
    n, m, k = 500, 4, 3
    votes = generator.integers(-1, k + 1, (n, m)).astype(np.int8)
    votes[:, 1] = np.where(generator.random(n) < 0.5, votes[:, 0], votes[:, 1])
    strength = generator.uniform(0.6, 1, (n, m)).astype(np.float32) if soft else None
    unique = unique_votes(votes, strength, k)
    posterior = generator.dirichlet(np.ones(k), len(unique.patterns))
    q = posterior[unique.inverse]
    event = unique.cast(unique.n_symbols).toarray().reshape(-1, m, unique.n_symbols)
    event = event[unique.inverse]
    top, bottom = np.zeros((m, m)), np.zeros((m, m))
    for symbol in range(unique.n_symbols):
        for label in range(k):
            if (symbol == label) if symbol < k else (symbol - k != label):
                x, w = event[:, :, symbol], q[:, label]
                covariance = np.cov(x.T, aweights=w, ddof=0)
                deviation = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
                phi = np.clip(covariance / np.outer(deviation, deviation), 0, 1)
                mass = w @ x
                top += phi * (mass[:, None] + mass)
                bottom += mass[:, None] + mass
    pairs = [(0, 1), (2, 3)]
    found = dependence(unique, posterior, pairs)
    expected = top / bottom
    for one, other in pairs:
        assert found[one, other] == pytest.approx(expected[one, other])
        assert found[other, one] == pytest.approx(expected[one, other])
    assert np.count_nonzero(found) == 4
    np.testing.assert_allclose(weights(found)[:2], 1 / (1 + expected[0, 1]))
    assert not dependence(unique, posterior, None).any()


def test_given_pairs_count_however_weak():
    parameters = both_class(2)
    votes, _ = sample(parameters, 6000, 1)
    generator = np.random.default_rng(0)
    votes[:, 3] = np.where(generator.random(6000) < 0.3, votes[:, 2], votes[:, 3])
    balance = list(parameters.class_balance)
    given = fitted(votes, 2, balance, dependencies=[(2, 3)])
    assert 0.1 < given.dependence_[2, 3] < 0.4
    assert given.weights_[2] == given.weights_[3] == 1 / (1 + given.dependence_[2, 3])
    assert (np.delete(given.weights_, [2, 3]) == 1).all()
    assert not fitted(votes, 2, balance).dependence_.any()


@pytest.mark.parametrize("pair", [(0, 0), (0, 9), (-1, 2)])
def test_a_pair_is_of_two_lfs(pair):
    votes, _ = sample(both_class(2), 100)
    with pytest.raises(EpoxyError, match="no pair of labeling functions"):
        DawidSkene(2, dependencies=[pair]).fit(votes[:, :4])
