import itertools

import numpy as np
import pytest

from epoxy_core.label_model import Triplets

ACCURACIES = np.array([0.9, 0.8, 0.7, 0.6, 0.85, 0.75])


def one_coin(n, accuracies, coverage, n_classes, seed=0):
    generator = np.random.default_rng(seed)
    gold = generator.integers(n_classes, size=n)
    votes = np.full((n, len(accuracies)), -1, dtype=np.int8)
    for lf, accuracy in enumerate(accuracies):
        wrong = (gold + generator.integers(1, n_classes, size=n)) % n_classes
        vote = np.where(generator.random(n) < accuracy, gold, wrong)
        votes[:, lf] = np.where(generator.random(n) < coverage, vote, -1)
    return votes


def by_loops(votes, n_classes):
    """Medians over all triplets, unsigned, unshrunk."""
    m = votes.shape[1]
    agreement = {}
    for i, j in itertools.permutations(range(m), 2):
        both = [(a, b) for a, b in votes[:, [i, j]].tolist() if a >= 0 and b >= 0]
        if len(both) >= 5:
            rate = sum(a == b for a, b in both) / len(both)
            agreement[i, j] = (n_classes * rate - 1) / (n_classes - 1)
    strengths = []
    for i in range(m):
        found = [
            min(1, abs(agreement[i, j] * agreement[i, k] / agreement[j, k]) ** 0.5)
            for j, k in itertools.combinations([other for other in range(m) if other != i], 2)
            if {(i, j), (i, k), (j, k)} <= agreement.keys() and abs(agreement[j, k]) >= 0.05
        ]
        strengths.append(np.median(found))
    return np.array(strengths)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_equals_naive_triplets(n_classes):
    votes = one_coin(700, ACCURACIES, 0.4, n_classes)
    model = Triplets(n_classes).fit(votes)
    seen = np.array(
        [max(((votes[:, i] >= 0) & (votes[:, j] >= 0)).sum() for j in range(6) if j != i)
         for i in range(6)]
    )  # fmt: skip
    prior = (n_classes * 0.7 - 1) / (n_classes - 1)
    shrunk = (seen * by_loops(votes, n_classes) + 30 * prior) / (seen + 30)
    np.testing.assert_allclose(model.accuracy_, (shrunk * (n_classes - 1) + 1) / n_classes)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_recovers_accuracies_and_weights(n_classes):
    model = Triplets(n_classes).fit(one_coin(20_000, ACCURACIES, 0.5, n_classes))
    np.testing.assert_allclose(model.accuracy_, ACCURACIES, atol=0.02)
    odds = model.accuracy_ * (n_classes - 1) / (1 - model.accuracy_)
    np.testing.assert_allclose(model.weights_, np.log(odds))


def test_signs_are_recovered():
    accuracies = np.array([0.9, 0.2, 0.8, 0.85, 0.3])
    model = Triplets(2).fit(one_coin(20_000, accuracies, 0.5, 2))
    np.testing.assert_allclose(model.accuracy_, accuracies, atol=0.03)
    assert (model.weights_ < 0).tolist() == [False, True, False, False, True]


def test_signs_of_separate_groups_are_recovered_apart():
    left = one_coin(5000, np.array([0.9, 0.2, 0.8]), 0.8, 2)
    right = one_coin(5000, np.array([0.85, 0.8, 0.25]), 0.8, 2, seed=1)
    votes = np.full((10_000, 6), -1, dtype=np.int8)
    votes[:5000, :3], votes[5000:, 3:] = left, right
    found = Triplets(2).fit(votes).accuracy_
    np.testing.assert_allclose(found, [0.9, 0.2, 0.8, 0.85, 0.8, 0.25], atol=0.04)


def test_two_lfs_share_their_agreement():
    votes = one_coin(20_000, np.array([0.8, 0.8]), 1.0, 2)
    np.testing.assert_allclose(Triplets(2).fit(votes).accuracy_, 0.8, atol=0.02)


def test_few_overlaps_stay_near_the_prior():
    votes = np.zeros((5, 3), dtype=np.int8)
    np.testing.assert_allclose(Triplets(2).fit(votes).accuracy_, (5 * 1.0 + 30 * 0.7) / 35)
    np.testing.assert_allclose(Triplets(2).fit(votes[:4]).accuracy_, 0.7)


def test_lfs_that_vote_one_class_only_keep_their_sign():
    generator = np.random.default_rng(0)
    gold = (generator.random(4000) < 0.4).astype(int)
    votes = np.full((4000, 6), -1, dtype=np.int8)
    for lf in range(6):
        rate = np.where(gold == lf % 2, 0.4, 0.08)
        votes[generator.random(4000) < rate, lf] = lf % 2
    assert (Triplets(2).fit(votes).weights_ > 0).all()
    # Neither do a few votes of the other class flip one.
    for lf in range(6):
        votes[generator.choice(4000, 3), lf] = 1 - lf % 2
    assert (Triplets(2).fit(votes).weights_ > 0).all()
