import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, both_class, one_class, sample, with_copies
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import DawidSkene
from epoxy_core.label_model.intervals import accuracy_intervals


def truths(votes, truth, n_classes):
    """Accuracy and precisions of the votes, where there are 20 or more."""
    accuracy = np.full(votes.shape[1], np.nan)
    precision = np.full((votes.shape[1], n_classes), np.nan)
    for lf, cast in enumerate(votes.T):
        if (cast >= 0).sum() >= 20:
            accuracy[lf] = (cast == truth)[cast >= 0].mean()
        for label in range(n_classes):
            if (cast == label).sum() >= 20:
                precision[lf, label] = (truth[cast == label] == label).mean()
    return accuracy, precision


def held(truth, low, high):
    known = ~np.isnan(truth)
    return ((truth >= low) & (truth <= high))[known].mean()


@pytest.mark.parametrize("silence", [True, None])
@pytest.mark.parametrize("known_balance", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_truth(kind, known_balance, silence):
    shares = []
    for n_classes, seed, n in [(2, 0, 1500), (2, 1, 4000), (4, 2, 1500), (4, 3, 4000)]:
        parameters = KINDS[kind](n_classes, n_lfs=12, seed=seed)
        votes, truth = sample(parameters, n, seed)
        balance = list(parameters.class_balance) if known_balance else None
        found = accuracy_intervals(votes, n_classes, balance, silence=silence)
        accuracy, precision = truths(votes, truth, n_classes)
        shares.append(
            (
                held(accuracy, found.accuracy_low, found.accuracy_high),
                held(precision, found.precision_low, found.precision_high),
            )
        )
    assert (np.mean(shares, axis=0) > 0.85).all()


def test_they_say_something():
    parameters = both_class(2)
    votes, truth = sample(parameters, 8000)
    found = accuracy_intervals(votes, 2, list(parameters.class_balance))
    accuracy, precision = truths(votes, truth, 2)
    np.testing.assert_allclose(found.accuracy, accuracy, atol=0.06)
    assert (found.accuracy_high - found.accuracy_low).mean() < 0.25
    np.testing.assert_allclose(found.precision, precision, atol=0.08)
    unknown = accuracy_intervals(votes, 2)
    width = (found.precision_high - found.precision_low).mean()
    assert width < (unknown.precision_high - unknown.precision_low).mean()


def test_lfs_that_copy_one_another_widen_them():
    parameters = both_class(4)
    apart, _ = sample(parameters, 2500)
    votes, truth = sample(with_copies(parameters, 3, rate=0.8), 2500)
    found = accuracy_intervals(votes, 4)
    usual = accuracy_intervals(apart, 4)
    wider = (found.accuracy_high - found.accuracy_low) - (usual.accuracy_high - usual.accuracy_low)
    assert wider.mean() > 0.03
    assert held(truths(votes, truth, 4)[0], found.accuracy_low, found.accuracy_high) > 0.8


def test_order_and_level():
    votes, _ = sample(one_class(2), 2000)
    found = accuracy_intervals(votes, 2)
    wide = accuracy_intervals(votes, 2, level=0.99)
    again = accuracy_intervals(votes, 2)
    np.testing.assert_array_equal(found.accuracy_low, again.accuracy_low)
    np.testing.assert_array_equal(found.precision_high, again.precision_high)
    assert (found.accuracy_low <= found.accuracy).all()
    assert (found.accuracy <= found.accuracy_high).all()
    assert (wide.accuracy_low <= found.accuracy_low).all()
    assert (wide.accuracy_high >= found.accuracy_high).all()
    assert found.level == 0.9


def test_further_models_have_a_say():
    votes, _ = sample(both_class(2), 2000)
    alone = accuracy_intervals(votes, 2)
    found = accuracy_intervals(votes, 2, accuracy=np.full(10, 0.99))
    assert (found.accuracy_high >= 0.99).all()
    assert (found.accuracy_high >= alone.accuracy_high).all()
    np.testing.assert_array_equal(found.precision, alone.precision)
    wrong = DawidSkene(2).fit(votes).predict_proba(votes)[:, ::-1]
    found = accuracy_intervals(votes, 2, posterior=wrong)
    assert (found.accuracy_low <= alone.accuracy_low).all()
    assert (found.precision_low[:, 0] < alone.precision_low[:, 0] - 0.05).all()


def test_who_has_the_last_word_on_lfs_of_one_class():
    votes, _ = sample(one_class(2), 2000)
    told = np.full(10, 0.8)
    unknown = accuracy_intervals(votes, 2, accuracy=told)
    np.testing.assert_array_equal(unknown.accuracy, told)
    np.testing.assert_array_equal(unknown.precision[0, 0], 0.8)
    assert (unknown.accuracy_low < 0.8).all()
    assert (unknown.accuracy_high > 0.8).all()
    assert (accuracy_intervals(votes, 2, accuracy=told, silence=True).accuracy != told).any()


def test_what_is_not_voted_is_unknown():
    votes, _ = sample(one_class(2, n_lfs=4), 500)
    votes[:, 3] = -1
    found = accuracy_intervals(votes, 2)
    assert np.isnan([found.accuracy[3], found.accuracy_low[3], found.accuracy_high[3]]).all()
    assert np.isnan(found.precision).tolist() == [[False, True], [True, False], [False, True],
                                                  [True, True]]  # fmt: skip
    for shape in [(0, 3), (4, 0)]:
        nothing = accuracy_intervals(np.full(shape, -1, dtype=np.int8), 2)
        assert nothing.accuracy.shape == (shape[1],)
        assert np.isnan(nothing.precision).all()


def test_votes_against_a_class_are_one_more_kind():
    """Of two classes, not the one is the other."""
    parameters = both_class(2)
    votes, truth = sample(parameters, 4000)
    balance = list(parameters.class_balance)
    flipped = votes.copy()
    for lf in (0, 3):
        flipped[:, lf] = np.where(votes[:, lf] >= 0, 3 - votes[:, lf], -1)
    plain = accuracy_intervals(votes, 2, balance, silence=True)
    found = accuracy_intervals(flipped, 2, balance, silence=True)
    np.testing.assert_allclose(found.accuracy, plain.accuracy, atol=0.02)
    assert found.precision.shape == (10, 4)
    assert np.isnan(found.precision[0, :2]).all()
    np.testing.assert_allclose(found.precision[0, 2:], plain.precision[0, ::-1], atol=0.03)
    accuracy, _ = truths(votes, truth, 2)
    assert held(accuracy, found.accuracy_low, found.accuracy_high) > 0.8


def test_votes_that_are_not_all_worth_the_same():
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, 5000)
    claim = draw.choice([0.5, 0.7, 0.95], (5000, 8)).astype(np.float32)
    other = (truth[:, None] + draw.integers(1, 3, claim.shape)) % 3
    votes = np.where(draw.random(claim.shape) < claim, truth[:, None], other).astype(np.int8)
    votes[draw.random(claim.shape) < 0.4] = -1
    found = accuracy_intervals(votes, 3)
    accuracy, precision = truths(votes, truth, 3)
    assert held(accuracy, found.accuracy_low, found.accuracy_high) == 1
    assert held(precision, found.precision_low, found.precision_high) > 0.85
    np.testing.assert_allclose(found.accuracy, accuracy, atol=0.08)


@pytest.mark.parametrize("kind", KINDS)
def test_unrelated_items_move_it_within_the_interval(kind):
    """A fifth more items, of another distribution."""
    parameters = KINDS[kind](2, seed=1)
    votes, _ = sample(parameters, 3000, 1)
    strangers, _ = sample(KINDS[kind](2, seed=9), 600, 2)
    balance = list(parameters.class_balance)
    before = accuracy_intervals(votes, 2, balance)
    after = accuracy_intervals(np.concatenate([votes, strangers]), 2, balance)
    assert (np.abs(after.accuracy - before.accuracy) > 0).any()
    assert (before.accuracy_low <= after.accuracy).all()
    assert (after.accuracy <= before.accuracy_high).all()
    assert (before.precision_low <= after.precision)[~np.isnan(before.precision)].all()
    assert (after.precision <= before.precision_high)[~np.isnan(before.precision)].all()


@pytest.mark.parametrize("m", [1, 2])
def test_of_one_or_two_lfs_little_is_known(m):
    votes, _ = sample(both_class(2, n_lfs=m), 3000)
    found = accuracy_intervals(votes, 2)
    assert (found.accuracy_high - found.accuracy_low > 0.2).all()


def test_bad_input_is_named():
    votes = np.zeros((3, 2), dtype=np.int8)
    with pytest.raises(EpoxyError, match="level"):
        accuracy_intervals(votes, 2, level=1)
    with pytest.raises(EpoxyError, match="vote 4"):
        accuracy_intervals(votes + np.int8(4), 2)
    with pytest.raises(EpoxyError, match="balance"):
        accuracy_intervals(votes, 2, [0.5, 0.6])
