"""Which label model is taken, by what evidence, and when that is a warning."""

import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, both_class, sample
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import ChosenLabelModel, DawidSkene, MajorityVote, make_label_model
from epoxy_core.label_model.base import share_of_top
from epoxy_core.label_model.lift import left_out_lift, mean_and_gain
from epoxy_core.label_model.unique_votes import unique_votes


def lift_by_loops(model, votes, k, strength=None):
    n, m = votes.shape
    table = unique_votes(votes, strength, k)
    cast = table.cast(model.evidence_.shape[1]).toarray()[table.inverse]
    cast = cast.reshape(n, m, -1)
    found = np.full(m, np.nan)
    for lf in range(m):
        said = np.zeros((n, k))
        for row in range(n):
            score = np.zeros(k)
            for other in range(m):
                if other != lf:
                    score = score + cast[row, other] @ model.evidence_[other]
                    score = score + (votes[row, other] < 0) * model.silence_[other]
            top = score >= score.max() - 1e-9
            said[row] = top / top.sum()
        gains = [
            said[row, v] - said[:, v].mean() if v < k else said[:, v - k].mean() - said[row, v - k]
            for row, v in enumerate(votes[:, lf])
            if v >= 0
        ]
        if gains:
            found[lf] = np.mean(gains)
    return found


@pytest.mark.parametrize("method", ["dawid_skene", "triplets", "majority_vote"])
@pytest.mark.parametrize("kind", [*KINDS, "soft"])
def test_lift_equals_loops(kind, method):
    strength = None
    if kind == "soft":
        generator = np.random.default_rng(0)
        votes = generator.integers(-1, 6, (200, 5)).astype(np.int8)
        strength = generator.uniform(0.5, 1, votes.shape).astype(np.float32)
    else:
        votes, _ = sample(KINDS[kind](3, 6), 200)
    votes[:, 2] = -1
    model = make_label_model(method, 3).fit(votes, strength)
    found = left_out_lift(model, unique_votes(votes, strength, 3))
    expected = lift_by_loops(model, votes, 3, strength)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isnan(found[2])


def test_gain_and_error_are_those_of_a_weighted_mean():
    lift, other = np.array([0.3, 0.5, np.nan, 0.1]), np.array([0.1, 0.4, np.nan, 0.2])
    votes = np.array([10, 30, 0, 60])
    mean, gain, error = mean_and_gain(lift, other, votes)
    assert mean == pytest.approx(0.1 * 0.3 + 0.3 * 0.5 + 0.6 * 0.1)
    assert gain == pytest.approx(0.1 * 0.2 + 0.3 * 0.1 - 0.6 * 0.1)
    spread = [0.1 * (0.2 - gain), 0.3 * (0.1 - gain), 0.6 * (-0.1 - gain)]
    assert error == pytest.approx(np.sqrt(np.square(spread).sum() * 3 / 2))
    assert mean_and_gain(lift[:1], other[:1], votes[:1])[2] == np.inf
    assert mean_and_gain(lift[2:3], other[2:3], votes[2:3]) == (0, 0, np.inf)


def test_ties_share():
    shares = share_of_top(np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]]))
    np.testing.assert_array_equal(shares, [[0.5, 0.5, 0], [0, 0, 1]])


@pytest.mark.parametrize("kind", KINDS)
def test_the_one_taken_is_as_good_as_any_or_nearly(kind):
    parameters = KINDS[kind](4)
    votes, truth = sample(parameters, 5000, 1)
    model = ChosenLabelModel(4, list(parameters.class_balance)).fit(votes)
    methods = ["dawid_skene", "triplets", "majority_vote"]
    balance = list(parameters.class_balance)
    found = {name: make_label_model(name, 4, balance).fit(votes) for name in methods}
    right = {
        name: share_of_top(each.predict_proba(votes))[np.arange(5000), truth].mean()
        for name, each in found.items()
    }
    assert right[model.method_] > max(right.values()) - 0.01
    said = model.choices_[0]
    assert (said.stage, said.chosen, set(said.scores)) == ("label model", model.method_, {*methods})
    np.testing.assert_array_equal(model.predict_proba(votes), model.model_.predict_proba(votes))
    majority = MajorityVote(4, list(parameters.class_balance)).fit(votes).predict_proba(votes)
    np.testing.assert_array_equal(model.majority_.predict_proba(votes), majority)


def adversaries(n=3000):
    """One good LF, and a pair that errs together: silence, triplets, and EM believe the pair."""
    generator = np.random.default_rng(0)
    gold = generator.integers(2, size=n)
    votes = np.empty((n, 5), np.int8)
    for lf in (0, 1):
        votes[:, lf] = np.where(generator.random(n) < 0.9, gold, 1 - gold)
    wrong = generator.random(n) < 0.45
    for lf in (2, 3, 4):
        noise = generator.random(n) < 0.15
        votes[:, lf] = np.where(wrong ^ noise, 1 - gold, gold)
    return votes, gold.astype(np.int8)


def test_dev_labels_decide_where_there_are_enough():
    votes, gold = adversaries()
    few = np.where(np.arange(3000) < 49, gold, -1).astype(np.int8)
    enough = np.where(np.arange(3000) < 400, gold, -1).astype(np.int8)
    assert (
        "dev" not in ChosenLabelModel(2, dependencies=None).fit(votes, gold=few).choices_[0].measure
    )
    model = ChosenLabelModel(2, dependencies=None).fit(votes, gold=enough)
    said = model.choices_[0]
    assert said.measure == "accuracy on 400 dev items with votes"
    for name, value in said.scores.items():
        probabilities = make_label_model(name, 2)
        if name == "dawid_skene":
            probabilities = DawidSkene(2, dependencies=None)
        found = probabilities.fit(votes).predict_proba(votes)[:400]
        assert value == pytest.approx(share_of_top(found)[np.arange(400), gold[:400]].mean())
    assert model.method_ != "dawid_skene"
    assert said.scores[model.method_] == max(said.scores.values())


def test_straying_without_evidence_is_a_warning():
    votes, gold = adversaries()
    known = np.where(np.arange(3000) < 400, gold, -1).astype(np.int8)
    model = ChosenLabelModel(2, method="dawid_skene", dependencies=None).fit(votes, gold=known)
    assert "otherwise than the majority" in model.choices_[0].warning
    assert set(model.choices_[0].scores) == {"dawid_skene", "majority_vote"}
    parameters = both_class(4)
    votes, _ = sample(parameters, 3000)
    model = ChosenLabelModel(4, list(parameters.class_balance)).fit(votes)
    assert model.choices_[0].warning == ""


def test_dependent_lfs_are_named():
    votes, _ = sample(both_class(4), 4000, 1)
    votes = np.hstack([votes, votes[:, :1]])
    names = [f"lf_{i}" for i in range(votes.shape[1])]
    model = ChosenLabelModel(4, method="dawid_skene", names=names).fit(votes)
    said = {choice.stage: choice for choice in model.choices_}
    assert said["dependent LFs"].chosen == "1 pairs"
    assert said["dependent LFs"].reason.startswith("lf_0 and lf_10 (1.00) vote alike")
    assert model.dependence_[0, 10] == pytest.approx(1)


def test_the_same_run_twice_is_the_same():
    votes, _ = sample(KINDS["mixed"](4), 3000)
    first, second = (ChosenLabelModel(4).fit(votes) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(votes), second.predict_proba(votes))
    assert first.choices_ == second.choices_


def test_no_such_method():
    with pytest.raises(EpoxyError, match="no label model 'best'"):
        ChosenLabelModel(2, method="best").fit(np.zeros((3, 2), np.int8))
