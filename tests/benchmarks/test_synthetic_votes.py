import itertools
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.synthetic_votes import (
    KINDS,
    Chain,
    Copy,
    VoteParameters,
    both_class,
    one_class,
    sample,
    sequence_ids,
    true_accuracy,
    true_posterior,
    with_chain,
    with_copies,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 4, 10])
def test_votes_are_drawn_as_the_parameters_say(kind, n_classes):
    parameters = KINDS[kind](n_classes)
    np.testing.assert_allclose(parameters.vote_given_class.sum(axis=1), 1)
    assert parameters.class_balance[0] == pytest.approx(3 * parameters.class_balance[-1])
    votes, truth = sample(parameters, 40_000, seed=3)
    assert votes.dtype == truth.dtype == np.int8
    assert votes.shape == (40_000, parameters.n_lfs)
    for k in range(n_classes):
        share = (truth == k).mean()
        assert share == pytest.approx(parameters.class_balance[k], abs=0.012)
        for lf in range(parameters.n_lfs):
            seen = np.bincount(votes[truth == k, lf] % (n_classes + 1), minlength=n_classes + 1)
            expected = parameters.vote_given_class[lf, :, k]
            np.testing.assert_allclose(seen / seen.sum(), expected, atol=0.05)
    again, _ = sample(parameters, 40_000, seed=3)
    np.testing.assert_array_equal(votes, again)
    accuracies = [
        (votes[votes[:, lf] >= 0, lf] == truth[votes[:, lf] >= 0]).mean()
        for lf in range(parameters.n_lfs)
    ]
    np.testing.assert_allclose(true_accuracy(parameters), accuracies, atol=0.06)


def test_one_class_lfs_vote_one_class():
    votes, _ = sample(one_class(4), 5000)
    for lf, cast in enumerate(votes.T):
        assert set(cast.tolist()) == {-1, lf % 4}


def likelihood(parameters, votes, truth, abstentions):
    """P(votes of all items | classes of all items), factor by factor."""
    k = parameters.n_classes
    copies = {copy.lf: copy for copy in parameters.copies}
    ids = sequence_ids(parameters, len(votes))
    chance = 1.0
    for row, label in enumerate(truth):
        follows = row > 0 and ids[row] == ids[row - 1]
        for lf, vote in enumerate(votes[row]):
            given = parameters.vote_given_class[lf, :, label].copy()
            if lf in copies:
                given *= 1 - copies[lf].rate
                given[votes[row, copies[lf].source] % (k + 1)] += copies[lf].rate
            voting = given[:k].sum()
            if vote < 0:
                chance *= given[k] if abstentions else 1
                continue
            shown = given[:k] / voting
            if parameters.chain and follows and label == truth[row - 1] and votes[row - 1, lf] >= 0:
                persistence = parameters.chain.persistence[lf]
                shown = (1 - persistence) * shown
                shown[votes[row - 1, lf]] += persistence
            chance *= shown[vote] * (voting if abstentions else 1)
    return chance


def by_enumeration(parameters, votes, abstentions):
    n, k = len(votes), parameters.n_classes
    ids = sequence_ids(parameters, n)
    posterior = np.zeros((n, k))
    for truth in itertools.product(range(k), repeat=n):
        chance = likelihood(parameters, votes, truth, abstentions)
        for row, label in enumerate(truth):
            if parameters.chain and row > 0 and ids[row] == ids[row - 1]:
                chance *= parameters.chain.transition[truth[row - 1], label]
            else:
                chance *= parameters.class_balance[label]
        posterior[np.arange(n), truth] += chance
    return posterior / posterior.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("abstentions", [True, False])
@pytest.mark.parametrize("variant", ["plain", "copies", "chain"])
def test_the_true_posterior_is_bayes_rule(variant, abstentions):
    parameters = KINDS["mixed"](2, n_lfs=4, seed=1)
    if variant == "copies":
        parameters = with_copies(parameters, 2, rate=0.6)
    if variant == "chain":
        parameters = with_chain(parameters, stay=0.8, length=4, persistence=0.5)
    votes, _ = sample(parameters, 7, seed=2)
    np.testing.assert_allclose(
        true_posterior(parameters, votes, abstentions=abstentions),
        by_enumeration(parameters, votes, abstentions),
        atol=1e-12,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_posterior_is_calibrated_and_abstaining_helps_it(kind):
    parameters = KINDS[kind](3)
    votes, truth = sample(parameters, 30_000)
    posterior = true_posterior(parameters, votes)
    for k in range(3):
        for low in (0.1, 0.4, 0.7):
            held = (posterior[:, k] >= low) & (posterior[:, k] < low + 0.3)
            assert (truth[held] == k).mean() == pytest.approx(posterior[held, k].mean(), abs=0.03)
    right = (posterior.argmax(axis=1) == truth).mean()
    blind = true_posterior(parameters, votes, abstentions=False)
    assert right >= (blind.argmax(axis=1) == truth).mean() - 0.002


def test_copies_copy():
    parameters = replace(both_class(2, n_lfs=4), copies=(Copy(3, 1, 0.6),))
    votes, _ = sample(parameters, 20_000)
    apart, _ = sample(both_class(2, n_lfs=4), 20_000)
    by_chance = (apart[:, 3] == apart[:, 1]).mean()
    assert (votes[:, 3] == votes[:, 1]).mean() == pytest.approx(0.6 + 0.4 * by_chance, abs=0.02)


def test_chains_stay_and_votes_persist():
    parameters = with_chain(both_class(2), stay=0.9, length=300, persistence=0.7)
    votes, truth = sample(parameters, 30_100)
    ids = sequence_ids(parameters, 30_100)
    assert np.bincount(ids).tolist() == [300] * 100 + [100]
    same = (ids[1:] == ids[:-1]) & (truth[1:] == truth[:-1])
    shares = parameters.class_balance
    assert same.mean() == pytest.approx(0.9 + 0.1 * (shares**2).sum(), abs=0.02)
    assert (truth == 0).mean() == pytest.approx(shares[0], abs=0.03)
    for lf in range(parameters.n_lfs):
        both = same & (votes[1:, lf] >= 0) & (votes[:-1, lf] >= 0)
        given = parameters.vote_given_class[lf, :2] / parameters.vote_given_class[lf, :2].sum(
            axis=0
        )
        by_chance = (given[:, truth[1:][both]] ** 2).sum(axis=0).mean()
        repeated = (votes[1:, lf] == votes[:-1, lf])[both].mean()
        assert repeated == pytest.approx(0.7 + 0.3 * by_chance, abs=0.05)


def test_parameters_that_cannot_be_are_refused():
    parameters = both_class(2, n_lfs=3)
    with pytest.raises(AssertionError, match="upwards"):
        replace(parameters, copies=(Copy(1, 2, 0.5),))
    with pytest.raises(AssertionError, match="abstaining"):
        VoteParameters(parameters.class_balance, parameters.vote_given_class[:, :2])
    chain = Chain(np.eye(2), 5, np.full(3, 0.5))
    with pytest.raises(AssertionError, match="persist"):
        replace(parameters, copies=(Copy(2, 0, 0.5),), chain=chain)
