import numpy as np
import pytest

from epoxy_core.label_model import extended_posterior

OWN = np.array([[1, -1], [-1, -1], [-1, -1], [-1, 0]], dtype=np.int8)
EXTENDED = np.array([[1, 0], [1, 0], [-1, -1], [1, 0]], dtype=np.int8)
POSTERIOR = np.array([[0.2, 0.8], [0.6, 0.4], [0.6, 0.4], [0.9, 0.1]])
WEIGHTS = np.array([[9.0, 1.5], [1.0, 0.25], [7.0, 7.0], [2.0, 9.0]])


def normalised(odds):
    return np.array(odds) / np.sum(odds)


def test_only_items_without_own_votes_move():
    found = extended_posterior(POSTERIOR, OWN, EXTENDED, WEIGHTS)
    np.testing.assert_array_equal(found[[0, 2, 3]], POSTERIOR[[0, 2, 3]])
    np.testing.assert_allclose(found[1], normalised([0.6 * np.exp(0.25), 0.4 * np.exp(1.0)]))


def test_borrowed_votes_can_join_own_ones():
    found = extended_posterior(POSTERIOR, OWN, EXTENDED, WEIGHTS, keep_own=False)
    np.testing.assert_allclose(found[0], normalised([0.2 * np.exp(1.5), 0.8]))
    np.testing.assert_allclose(found[3], normalised([0.9, 0.1 * np.exp(2.0)]))
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_votes_against_a_class_take_from_it():
    own = np.full((1, 2), -1, dtype=np.int8)
    votes = np.array([[3 + 1, 2]], dtype=np.int8)  # not class 1 of three, and class 2
    found = extended_posterior(np.array([[0.5, 0.3, 0.2]]), own, votes, np.array([[-1.0, 0.5]]))
    np.testing.assert_allclose(found[0], normalised([0.5, 0.3 * np.exp(-1), 0.2 * np.exp(0.5)]))


def test_huge_weights_and_certain_posteriors_stay_finite():
    certain = np.array([[1.0, 0.0], [0.5, 0.5]])
    own = np.array([[0], [-1]], dtype=np.int8)
    votes = np.array([[0], [1]], dtype=np.int8)
    found = extended_posterior(certain, own, votes, np.array([[0.0], [5000.0]]))
    np.testing.assert_allclose(found, [[1, 0], [0, 1]])


def test_many_borrowed_votes_by_naive_loops():
    generator = np.random.default_rng(0)
    own = np.where(generator.random((60, 5)) < 0.1, generator.integers(0, 3, (60, 5)), -1)
    extended = np.where(own >= 0, own, generator.integers(-1, 3, (60, 5)))
    weights = generator.random((60, 5))
    posterior = np.full((60, 3), 1 / 3)
    found = extended_posterior(posterior, own.astype(np.int8), extended.astype(np.int8), weights)
    for row in range(60):
        odds = np.ones(3)
        if (own[row] < 0).all():
            for lf in range(5):
                if extended[row, lf] >= 0:
                    odds[extended[row, lf]] *= np.exp(weights[row, lf])
        assert found[row] == pytest.approx(odds / odds.sum())
