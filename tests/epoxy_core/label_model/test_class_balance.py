"""The class balance from votes alone: learned where they tell it, left alone where they do not."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.synthetic_votes import (
    KINDS,
    VoteParameters,
    balance,
    both_class,
    one_class,
    sample,
    true_posterior,
    with_copies,
)
from epoxy_core.label_model import ChosenLabelModel, DawidSkene
from epoxy_core.label_model.class_balance import trusted
from epoxy_core.label_model.unique_votes import unique_votes


def accuracy(probabilities, truth):
    return (probabilities.argmax(axis=1) == truth).mean()


def lost(parameters, n=8000, seed=1):
    """Dawid–Skene's accuracy below that of the true parameters, and the model."""
    votes, truth = sample(parameters, n, seed)
    model = DawidSkene(parameters.n_classes).fit(votes)
    best = accuracy(true_posterior(parameters, votes), truth)
    return best - accuracy(model.predict_proba(votes), truth), model


@pytest.mark.parametrize(("k", "most"), [(2, 0.02), (4, 0.02), (10, 0.01)])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_learned_from_lfs_that_vote_every_class(k, most, seed):
    gap, model = lost(both_class(k, seed=seed))
    assert gap <= most
    assert "left out" in model.balance_reason_
    np.testing.assert_allclose(model.class_balance_, balance(k), atol=0.06)


@pytest.mark.parametrize("shares", [[0.85, 0.15], [0.5, 0.5]])
def test_rare_classes_are_learned_and_equal_ones_stay_equal(shares):
    gap, model = lost(replace(both_class(2), class_balance=np.array(shares)))
    assert gap <= 0.01
    np.testing.assert_allclose(model.class_balance_, shares, atol=0.04)


COPIED = {
    "both_class": (0.02, 0.025, 0.015),
    "mixed": (0.025, 0.03, 0.02),
    "one_class": (0.02, 0.05, 0.06),
}


@pytest.mark.parametrize("k", [2, 4, 10])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_copies_do_not_lead_it_astray(kind, k, seed):
    gap, model = lost(with_copies(KINDS[kind](k, seed=seed)))
    assert gap <= COPIED[kind][(2, 4, 10).index(k)]
    assert model.abstention_.informative == (kind != "both_class")
    assert model.balance_reason_


def one_sided(k, leak, seed):
    """LFs that vote one class for the most part, and seldom any other."""
    draw = np.random.default_rng([seed, k])
    given = np.zeros((10, k + 1, k))
    for lf in range(10):
        rate = draw.uniform(0.05, 0.2, (k, k)) + np.diag(draw.uniform(0.2, 0.35, k))
        given[lf, :k] = rate * np.where(np.arange(k) == lf % k, 1, leak)[:, None]
        given[lf, k] = 1 - given[lf, :k].sum(axis=0)
    return VoteParameters(balance(k), given)


@pytest.mark.parametrize("leak", [0.03, 0.1, 0.2])
def test_lfs_that_vote_the_most_where_their_class_is_do_not_tell_it(leak):
    """EM would take the balance to its limit, and lose half of what is right."""
    _, model = lost(one_sided(2, leak, 1))
    assert model.balance_reason_ == ""
    np.testing.assert_array_equal(model.class_balance_, [0.5, 0.5])


def test_too_few_lfs_do_not_tell_it():
    votes, _ = sample(both_class(2, n_lfs=4), 4000, 1)
    assert DawidSkene(2).fit(votes).balance_reason_ == ""
    assert ChosenLabelModel(2, method="dawid_skene").fit(votes).class_balance_ is None


def test_lfs_at_odds_do_not_tell_it():
    """Ten coins, each with a preference of its own."""
    draw = np.random.default_rng(0)
    prefers = draw.uniform(0.3, 0.7, 10)
    votes = (draw.random((4000, 10)) < prefers).astype(np.int8)
    model = DawidSkene(2).fit(votes)
    assert np.abs(model.class_balance_ - 0.5).max() < 0.1


def test_it_is_passed_on_with_the_reason():
    votes, _ = sample(both_class(2), 4000, 1)
    model = ChosenLabelModel(2, method="dawid_skene").fit(votes)
    np.testing.assert_array_equal(model.class_balance_, model.model_.class_balance_)
    assert "left out" in model.balance_reason_
    known = ChosenLabelModel(2, [0.6, 0.4], method="dawid_skene").fit(votes)
    assert (known.class_balance_, known.balance_reason_) == ([0.6, 0.4], "")


def test_one_of_those_that_depend_on_one_another_is_listened_to():
    votes, _ = sample(both_class(2, n_lfs=8), 500, 1)
    single, _ = sample(one_class(2, n_lfs=2), 500, 1)
    unique = unique_votes(np.hstack([votes, single]), None, 2)
    alike = np.zeros((10, 10))
    assert trusted(unique, alike, informative=True).all()
    assert trusted(unique, alike, informative=False).tolist() == [True] * 8 + [False] * 2
    alike[0, 8] = alike[8, 0] = 0.8
    assert trusted(unique, alike, informative=True).tolist() == [False] + [True] * 9
    mostly_single = unique_votes(np.hstack([votes[:, :1], *[single] * 3]), None, 2)
    assert not trusted(mostly_single, np.zeros((7, 7)), informative=False).any()
