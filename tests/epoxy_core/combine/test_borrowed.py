import numpy as np
import pytest

from epoxy_core.combine import borrowed
from epoxy_core.combine.borrowed import count_votes
from epoxy_core.combine.combined import ByPattern
from epoxy_core.combine.votes import VoteMatrices
from epoxy_core.extension import BorrowedVoteCalibration
from epoxy_core.label_model import extended_posterior


def drawn(k, soft, n=700, m=6, seed=0):
    """Votes for and against, half of the items without own ones; a posterior by pattern."""
    draw = np.random.default_rng(seed)
    extended = draw.integers(-1, 2 * k, (n, m)).astype(np.int8)
    lent = (draw.random((n, m)) < 0.5) | (draw.random(n) < 0.5)[:, None]
    own = np.where(lent, np.int8(-1), extended)
    similarity = np.where(own >= 0, 1, draw.random((n, m)))
    similarity = np.where(extended >= 0, similarity, np.nan).astype(np.float32)
    strength = np.where(extended >= 0, draw.random((n, m)), 1).astype(np.float32)
    strength[:, :2] = 1
    votes = VoteMatrices(own, extended, similarity, strength if soft else None)
    unique = votes.unique(k)
    by_own = ByPattern(draw.dirichlet(np.ones(k), len(unique.counts)), unique.inverse)
    calibration = BorrowedVoteCalibration(k, floor=0.1)
    calibration.fit(by_own.of_items(), own, extended, similarity, draw.uniform(0.6, 0.95, m))
    return votes, unique, by_own, calibration


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("at_once", [16_384, 100])
def test_is_what_the_log_odds_add_up_to(k, soft, at_once, monkeypatch):
    monkeypatch.setattr(borrowed, "_ROWS_AT_ONCE", at_once)
    votes, unique, by_own, calibration = drawn(k, soft)
    thresholds = np.array([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
    in_sequence = np.arange(700) < 20
    covered = unique.n_votes > 0
    found = count_votes(
        votes.columns(), by_own, covered, unique.inverse, thresholds, calibration, in_sequence
    )
    counts = (votes.own >= 0) | (votes.similarity >= thresholds)
    counted = np.where(counts, votes.extended, np.int8(-1))
    weights = calibration.weight(votes.similarity, votes.extended, votes.strength)
    expected = extended_posterior(by_own.of_items(), votes.own, counted, weights)
    np.testing.assert_allclose(found.posterior, expected, atol=1e-12)
    np.testing.assert_array_equal(votes.columns().counted(thresholds), counted)
    np.testing.assert_array_equal(found.n_counted, (counted >= 0).sum(axis=0))
    reached = (counted >= 0).any(axis=1) | in_sequence
    np.testing.assert_array_equal(found.reached, reached)
    np.testing.assert_array_equal(
        found.borrows, (counted >= 0).any(axis=1) & (votes.own < 0).all(axis=1)
    )
    np.testing.assert_array_equal(found.labels, np.where(reached, expected.argmax(axis=1), -1))
    own = (votes.own >= 0).any(axis=1)
    np.testing.assert_array_equal(found.posterior[own], by_own.of_items()[own])


def test_hundreds_of_sure_votes_stay_finite():
    m = 400
    own = np.full((2, m), -1, np.int8)
    own[0] = 0
    extended = np.stack([own[0], np.arange(m) % 4]).astype(np.int8)
    similarity = np.ones((2, m), np.float32)
    votes = VoteMatrices(own, extended, similarity)
    calibration = BorrowedVoteCalibration(2)
    posterior = np.full((2, 2), 0.5)
    calibration.fit(posterior, own, extended, similarity, np.full(m, 0.98))
    calibration.curve_[:] = 0.98
    unique = votes.unique(2)
    for kinds, expected in (((0, 1, 2, 3), [0.5, 0.5]), ((0, 3), [1, 0]), ((1, 2), [0, 1])):
        cast = np.where(np.isin(extended, kinds), extended, np.int8(-1))
        of_kind = VoteMatrices(own, cast, similarity).columns()
        found = count_votes(
            of_kind,
            ByPattern(posterior, unique.inverse),
            unique.n_votes > 0,
            unique.inverse,
            np.zeros(m),
            calibration,
            np.zeros(2, np.bool_),
        )
        np.testing.assert_allclose(found.posterior[1], expected, atol=1e-9)
