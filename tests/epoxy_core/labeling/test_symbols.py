import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.labeling.symbols import (
    allowed,
    beyond_chance,
    chance,
    fractions,
    has_negative,
    log_odds_added,
    spread,
    symbol_names,
)


def test_the_tables_of_three_classes():
    assert symbol_names(["a", "b"]) == ["a", "b", "not a", "not b"]
    assert allowed(3).astype(int).tolist() == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0],
    ]  # fmt: skip
    assert spread(3)[3].tolist() == [0, 0.5, 0.5]
    assert not has_negative(np.array([-1, 2], np.int8), 3)
    assert has_negative(np.array([-1, 3], np.int8), 3)
    assert chance(np.array([2, 3]), 3).tolist() == [1 / 3, 2 / 3]


@given(st.integers(2, 6), st.floats(0.01, 1), st.data())
def test_fractions_of_a_vote(k, claim, data):
    vote = data.draw(st.integers(0, 2 * k - 1))
    found = fractions(np.array([vote]), np.array([claim]), 2 * k, k)[0]
    expected = np.zeros(2 * k)
    if vote < k:
        for label in range(k):
            expected[label] = claim if label == vote else (1 - claim) / (k - 1)
    else:
        expected[vote], expected[vote - k] = claim, 1 - claim
    np.testing.assert_allclose(found, expected)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_log_odds_are_those_of_a_guesser_that_sometimes_knows(k):
    """Bayes' rule by enumeration: knows with probability a, else says anything of its kind."""
    table = allowed(k)
    for knows, kind in itertools.product([0.0, 0.3, 0.8], [0, 1]):
        accuracy = 1 / k + knows * (1 - 1 / k)
        symbols = range(kind * k, kind * k + k)
        likelihood = np.array(
            [
                [knows * table[v, y] / table[symbols, y].sum() + (1 - knows) / k for y in range(k)]
                for v in symbols
            ]
        )
        np.testing.assert_allclose(likelihood.sum(axis=0), 1)
        right = (likelihood * table[symbols]).sum() / k
        assert beyond_chance(right, chance(np.array([kind * k]), k)[0]) == pytest.approx(knows)
        for v, row in zip(symbols, likelihood, strict=True):
            added = log_odds_added(np.array([accuracy]), np.array([v]), None, k)[0]
            other = (v + 1) % k
            assert added == pytest.approx(np.log(row[v % k] / row[other]), abs=1e-12)


def test_soft_votes_add_their_fractions():
    accuracy, claim = np.array([0.7, 0.7, 0.7]), np.array([0.6, 1.0, 0.25], np.float32)
    hard = log_odds_added(accuracy, np.array([1, 1, 1]), None, 4)
    found = log_odds_added(accuracy, np.array([1, 1, 1]), claim, 4)
    np.testing.assert_allclose(found / hard, [(0.6 - 0.4 / 3), 1, 0], atol=1e-7)
    against = log_odds_added(accuracy, np.array([5, 5, 5]), None, 4)
    found = log_odds_added(accuracy, np.array([5, 5, 5]), claim, 4)
    np.testing.assert_allclose(found, claim * against + (1 - claim) * hard, rtol=1e-6)
    assert (against < 0).all()
