import itertools

import numpy as np
import pytest

from benchmarks.synthetic_votes import (
    KINDS,
    both_class,
    one_class,
    sample,
    sequence_ids,
    true_posterior,
    with_chain,
)
from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import calibration_error
from epoxy_core.label_model import DawidSkene, MajorityVote
from epoxy_core.label_model.chain import TemporalChain


def drawn(kind="both_class", n_classes=2, n=8000, **chain):
    parameters = with_chain(KINDS[kind](n_classes), **{"stay": 0.9, **chain})
    votes, truth = sample(parameters, n, seed=1)
    return parameters, votes, truth, sequence_ids(parameters, n)


def accuracy(probabilities, truth):
    return (probabilities.argmax(axis=1) == truth).mean()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("persistence", [0.0, 0.7])
def test_is_near_the_posterior_of_the_true_parameters(kind, n_classes, persistence):
    parameters, votes, truth, ids = drawn(kind, n_classes, persistence=persistence)
    balance = list(parameters.class_balance)
    model = TemporalChain(n_classes, balance).fit(votes, ids)
    probabilities = model.predict_proba(votes, ids)
    best = accuracy(true_posterior(parameters, votes), truth)
    assert accuracy(probabilities, truth) > best - 0.012
    assert calibration_error(probabilities, truth) < 0.02
    right = [(votes[votes[:, lf] >= 0, lf] == truth[votes[:, lf] >= 0]).mean() for lf in range(10)]
    np.testing.assert_allclose(model.accuracy_, right, atol=0.04)
    np.testing.assert_allclose(balance @ model.transition_, balance, atol=1e-6)
    unknown = TemporalChain(n_classes).fit(votes, ids).predict_proba(votes, ids)
    assert accuracy(unknown, truth) > best - 0.02


def test_persistence_and_transitions_are_learned():
    parameters, votes, _, ids = drawn(n=20_000, stay=0.85, persistence=0.6)
    model = TemporalChain(2, list(parameters.class_balance)).fit(votes, ids)
    assert model.converged_
    np.testing.assert_allclose(model.persistence_, 0.6, atol=0.08)
    np.testing.assert_allclose(model.transition_, parameters.chain.transition, atol=0.03)


def test_repeated_errors_do_not_make_it_sure():
    """With the persistence taken out, the same model is over-confident."""
    parameters, votes, truth, ids = drawn("both_class", persistence=0.8, n=10_000)
    model = TemporalChain(2, list(parameters.class_balance)).fit(votes, ids)
    tempered = calibration_error(model.predict_proba(votes, ids), truth)
    model.persistence_ = np.zeros(10)
    taken_at_word = calibration_error(model.predict_proba(votes, ids), truth)
    assert tempered < 0.02
    assert taken_at_word > 2 * tempered


def by_enumeration(model, votes, prior):
    """One sequence; sums over all paths of classes."""
    n, k = len(votes), len(prior)
    posterior = np.zeros((n, k))
    for path in itertools.product(range(k), repeat=n):
        chance = prior[path[0]]
        for row, label in enumerate(path):
            stays = row > 0 and path[row - 1] == label
            if row > 0:
                chance *= model.transition_[path[row - 1], label]
            for lf, vote in enumerate(votes[row]):
                detector = model.detectors_[lf]
                if vote < 0 and not detector:
                    continue
                p_vote = model.coverage_[lf, label] if detector else 1
                p = 1 - p_vote if vote < 0 else p_vote * model.confusion_[lf, vote, label]
                last = votes[row - 1, lf] if row > 0 else None
                if stays and (last >= 0 or detector):
                    rate = model.persistence_[lf]
                    p = (1 - rate) * p + rate * (last == vote)
                chance *= p
        posterior[np.arange(n), path] += chance
    return posterior / posterior.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_classes", "n"), [(2, 9), (4, 5)])
def test_posterior_is_the_sum_over_all_paths(kind, n_classes, n):
    parameters, votes, _, ids = drawn(kind, n_classes, n=1500, persistence=0.5)
    balance = list(parameters.class_balance)
    model = TemporalChain(n_classes, balance, max_iterations=5).fit(votes, ids)
    for start in (0, 500, 900):
        some = votes[start : start + n]
        found = model.predict_proba(some, np.zeros(n, dtype=int))
        np.testing.assert_allclose(found, by_enumeration(model, some, balance), atol=1e-9)


def test_single_items_are_dawid_skene():
    votes, _ = sample(both_class(3), 3000)
    balance = [0.5, 0.3, 0.2]
    ids = np.arange(3000)
    settings = {"tolerance": 1e-9, "max_iterations": 2000}
    chain = TemporalChain(3, balance, **settings).fit(votes, ids)
    static = DawidSkene(3, balance, dependencies=None, **settings).fit(votes)
    found = chain.predict_proba(votes, ids)
    np.testing.assert_allclose(found, static.predict_proba(votes), atol=1e-4)
    np.testing.assert_allclose(chain.confusion_, static.confusion_, atol=1e-4)
    np.testing.assert_allclose(chain.evidence_, static.evidence_, atol=1e-3)


def test_lfs_of_one_class_whose_silence_says_nothing_stay_as_without_the_order():
    parameters, votes, truth, ids = drawn("one_class", 3, n=3000)
    balance = list(parameters.class_balance)
    chain = TemporalChain(3, balance, abstention="ignored").fit(votes, ids)
    static = DawidSkene(3, balance, abstention="ignored").fit(votes)
    np.testing.assert_allclose(chain.confusion_, static.confusion_)
    assert not chain.persistence_.any()
    smoothed, alone = chain.predict_proba(votes, ids), static.predict_proba(votes)
    assert accuracy(smoothed, truth) > accuracy(alone, truth) + 0.05


def test_what_a_detector_does_not_say_counts():
    parameters = one_class(2)
    votes, truth = sample(parameters, 10_000)
    ids = np.arange(10_000)
    balance = list(parameters.class_balance)
    found = TemporalChain(2, balance).fit(votes, ids)
    assert found.detectors_.all()
    best = accuracy(true_posterior(parameters, votes), truth)
    assert accuracy(found.predict_proba(votes, ids), truth) > best - 0.01
    np.testing.assert_allclose(found.coverage_, 1 - parameters.vote_given_class[:, -1], atol=0.05)
    assert accuracy(MajorityVote(2, balance).fit(votes).predict_proba(votes), truth) < best


def test_not_the_one_of_two_is_the_other():
    parameters, votes, _, ids = drawn("mixed", n=4000, persistence=0.5)
    balance = list(parameters.class_balance)
    other_words = votes.copy()
    for lf in (0, 1, 4):
        other_words[:, lf] = np.where(votes[:, lf] >= 0, 3 - votes[:, lf], -1)
    plain = TemporalChain(2, balance).fit(votes, ids)
    found = TemporalChain(2, balance).fit(other_words, ids)
    np.testing.assert_allclose(found.accuracy_, plain.accuracy_, atol=1e-3)
    np.testing.assert_allclose(found.predict_proba(other_words, ids),
                               plain.predict_proba(votes, ids), atol=1e-3)  # fmt: skip
    assert found.evidence_.shape == (10, 4, 2)
    assert not found.evidence_[2, 2:].any()


def test_soft_votes_that_mean_what_they_say():
    draw = np.random.default_rng(0)
    parameters, _, truth, ids = drawn(n=4000, stay=0.5)
    claim = draw.choice([0.55, 0.95], (4000, 3)).astype(np.float32)
    votes = np.where(draw.random(claim.shape) < claim, truth[:, None], 1 - truth[:, None])
    votes = votes.astype(np.int8)
    balance = list(parameters.class_balance)
    plain = TemporalChain(2, balance).fit(votes, ids, np.ones_like(claim))
    np.testing.assert_array_equal(plain.given_, TemporalChain(2, balance).fit(votes, ids).given_)
    found = TemporalChain(2, balance).fit(votes, ids, claim)
    told = accuracy(found.predict_proba(votes, ids, claim), truth)
    assert told > accuracy(plain.predict_proba(votes, ids), truth) + 0.01
    assert found.log_likelihood(votes, ids, claim) > found.log_likelihood(
        votes, np.arange(4000), claim
    )


def test_silence_that_the_classes_do_not_explain_says_nothing():
    """Whether items draw votes at all has nothing to do with their class."""
    parameters, votes, truth, ids = drawn("one_class", n=8000, stay=0.95)
    quiet = np.random.default_rng(0).random(8000) < 0.6
    votes[quiet] = -1
    balance = list(parameters.class_balance)
    found = TemporalChain(2, balance).fit(votes, ids)
    assert not found.abstention_.informative
    assert not found.silence_.any()
    believed = TemporalChain(2, balance, abstention="informative").fit(votes, ids)
    assert believed.silence_.any()
    spoken = ~quiet
    assert accuracy(found.predict_proba(votes, ids)[spoken], truth[spoken]) > 0.75


def test_items_without_votes_are_smoothed():
    parameters, votes, truth, _ = drawn(n=3000, stay=0.95)
    gaps = votes.copy()
    gaps[100:110] = -1
    gaps[1000:1400] = -1
    ids = np.zeros(3000, dtype=int)
    balance = list(parameters.class_balance)
    found = TemporalChain(2, balance).fit(gaps, ids).predict_proba(gaps, ids)
    top = found.max(axis=1)
    # Less is known the farther the votes are; in the middle of the long gap, the balance.
    assert (np.diff(found[1000:1150, truth[999]]) <= 1e-12).all() or truth[999] == 1
    np.testing.assert_allclose(found[1200], balance, atol=0.01)
    assert top[1000] > top[1020]
    assert abs(found[1000] - balance).max() > abs(found[1100] - balance).max()


def test_without_votes_it_is_the_class_balance():
    _, votes, _, ids = drawn(n=2000)
    model = TemporalChain(2, [0.3, 0.7]).fit(votes, ids)
    silent = np.full((50, 10), -1, dtype=np.int8)
    found = model.predict_proba(silent, np.arange(50) // 10)
    np.testing.assert_allclose(found, np.tile([0.3, 0.7], (50, 1)), atol=1e-6)


def test_sequences_may_be_interleaved_and_named_at_will():
    _, votes, _, ids = drawn(n=2000, length=250)
    model = TemporalChain(2).fit(votes, ids)
    found = model.predict_proba(votes, ids)
    mixed = np.argsort(np.arange(2000) % 250, kind="stable")
    names = np.array([70, -3, 5, 900, 12, 44, 0, 1])
    other = TemporalChain(2).fit(votes[mixed], names[ids[mixed]])
    np.testing.assert_allclose(other.predict_proba(votes[mixed], names[ids[mixed]]), found[mixed],
                               atol=1e-9)  # fmt: skip
    alone = np.concatenate([model.predict_proba(votes[ids == i], ids[ids == i]) for i in range(8)])
    np.testing.assert_allclose(alone, found, atol=1e-9)


def test_the_likelihood_prefers_the_truth_on_held_out_votes():
    _, votes, _, ids = drawn(n=10_000, persistence=0.7)
    model = TemporalChain(2).fit(votes[:5000], ids[:5000])
    with_it = model.log_likelihood(votes[5000:], ids[5000:])
    model.persistence_ = np.zeros(10)
    assert with_it > model.log_likelihood(votes[5000:], ids[5000:]) + 100


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (5, 3)])
def test_no_items_no_lfs_no_votes(shape):
    votes = np.full(shape, -1, dtype=np.int8)
    ids = np.zeros(shape[0], dtype=int)
    model = TemporalChain(3).fit(votes, ids)
    np.testing.assert_allclose(model.predict_proba(votes, ids), np.full((shape[0], 3), 1 / 3))
    np.testing.assert_allclose(model.accuracy_, np.full(shape[1], 0.7))


def test_a_sequence_for_every_item():
    with pytest.raises(EpoxyError, match="2 sequence numbers for 3 items"):
        TemporalChain(2).fit(np.zeros((3, 2), dtype=np.int8), np.zeros(2, dtype=int))
    with pytest.raises(EpoxyError, match="vote 4"):
        TemporalChain(2).fit(np.full((3, 2), 4), np.zeros(3, dtype=int))


def test_a_long_chain_warms_up_on_its_beginning():
    _, votes, truth, _ = drawn(n=130_000, length=130_000, persistence=0.5)
    ids = np.zeros(130_000, dtype=int)
    model = TemporalChain(2).fit(votes, ids)
    assert model.converged_
    assert model.n_iterations_ < 12
    assert accuracy(model.predict_proba(votes, ids), truth) > 0.9
