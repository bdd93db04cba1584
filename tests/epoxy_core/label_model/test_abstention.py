"""When silence is evidence: by what the classes explain of who votes together."""

import numpy as np
import pytest

from benchmarks.synthetic_votes import one_class, sample, true_posterior
from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import calibration_error, score
from epoxy_core.label_model import DawidSkene, MajorityVote
from epoxy_core.label_model.abstention import CoVoting, detectors, overturned, witnesses
from epoxy_core.label_model.unique_votes import unique_votes


def keyword_votes(n, m, length, seed=0):
    """LFs that vote one class each, and more on long items, whatever their class."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(2, size=n)
    long = np.exp(length * generator.normal(size=n))
    votes = np.full((n, m), -1, dtype=np.int8)
    for lf in range(m):
        target = lf % 2
        rate = np.where(gold == target, 0.3, 0.1) * long / long.mean()
        votes[generator.random(n) < rate, lf] = target
    return votes, gold


def test_silence_counts_if_the_class_alone_makes_lfs_vote_together():
    parameters = one_class(2)
    votes, truth = sample(parameters, 4000, 3)
    model = DawidSkene(2).fit(votes)
    assert model.abstention_.informative
    assert model.abstention_.explained > 0.95
    assert (model.silence_ != 0).all()
    given = parameters.vote_given_class
    np.testing.assert_allclose(model.coverage_, 1 - given[:, -1], atol=0.06)
    best = score(true_posterior(parameters, votes), truth).accuracy
    assert score(model.predict_proba(votes), truth).accuracy > best - 0.01
    assert DawidSkene(2, abstention="ignored").fit(votes).silence_.any() == 0


@pytest.mark.parametrize("length", [0.7, 0.9])
def test_silence_does_not_count_if_something_else_does(length):
    votes, gold = keyword_votes(4000, 10, length)
    model = DawidSkene(2).fit(votes)
    assert not model.abstention_.informative
    assert model.abstention_.explained < 0.9
    assert not model.silence_.any()
    probabilities = model.predict_proba(votes)
    found = score(probabilities, gold).accuracy
    assert found > score(MajorityVote(2).fit(votes).predict_proba(votes), gold).accuracy - 0.01
    believing = DawidSkene(2, abstention="informative").fit(votes).predict_proba(votes)
    assert found > score(believing, gold).accuracy
    assert calibration_error(probabilities, gold) < calibration_error(believing, gold)


def test_few_or_independent_lfs_do_not_tell():
    votes, _ = sample(one_class(2, n_lfs=3), 2000)
    assert "Too few" in DawidSkene(2).fit(votes).abstention_.reason
    generator = np.random.default_rng(0)
    votes = np.where(generator.random((2000, 8)) < 0.3, np.arange(8) % 2, -1).astype(np.int8)
    assert "chance" in DawidSkene(2).fit(votes).abstention_.reason
    both = generator.integers(-1, 2, (500, 5)).astype(np.int8)
    assert "No LF" in DawidSkene(2).fit(both).abstention_.reason


def test_unanimous_votes_are_not_overturned():
    """Two groups of LFs that vote for the same classes, each together: classes of another kind."""
    generator = np.random.default_rng(1)
    group = generator.integers(2, size=4000)
    votes = np.full((4000, 12), -1, dtype=np.int8)
    for lf in range(12):
        votes[generator.random(4000) < np.where(group == lf // 6, 0.5, 0.02), lf] = lf % 2
    model = DawidSkene(2).fit(votes)
    probabilities = model.predict_proba(votes)
    tally = np.stack([(votes == k).sum(axis=1) for k in range(2)], axis=1)
    unanimous = (tally.min(axis=1) == 0) & (tally.max(axis=1) >= 2)
    same = probabilities.argmax(axis=1) == tally.argmax(axis=1)
    assert same[unanimous].mean() > 0.95


def test_copies_that_agree_are_not_unanimous():
    votes = np.array([[0, 0, -1], [0, -1, 0], [1, 1, 1], [-1, -1, 0]], dtype=np.int8)
    unique = unique_votes(votes, None, 2)
    alike = np.zeros((3, 3))
    alike[0, 1] = alike[1, 0] = 0.9
    heard = witnesses(unique, alike)
    assert heard.tolist() == [True, False, True]
    against = 1 - votes.max(axis=1)  # every item gets the other class
    posterior = np.eye(2)[against][np.unique(unique.inverse, return_index=True)[1]]
    assert overturned(unique, posterior, heard) == 1
    copied = np.flatnonzero((unique.patterns == [0, 0, -1]).all(axis=1))
    posterior[:] = posterior[:, ::-1]
    posterior[copied] = posterior[copied, ::-1]
    assert overturned(unique, posterior, heard) == 0
    assert overturned(unique, posterior, np.ones(3, np.bool_)) == pytest.approx(1 / 3)


def test_explained_equals_a_count_by_loops():
    votes, _ = keyword_votes(600, 5, 0.7)
    unique = unique_votes(votes, None, 2)
    posterior = np.random.default_rng(0).dirichlet([1, 1], len(unique.patterns))
    q = posterior[unique.inverse]
    n, m = votes.shape
    voted = votes >= 0
    before = after = 0.0
    for i in range(m):
        for j in range(i):
            met = (voted[:, i] & voted[:, j]).sum()
            a, b = voted[:, i].mean(), voted[:, j].mean()
            variance = max(n * a * (1 - a) * b * (1 - b), 1)
            within = sum(
                q[:, k].sum()
                * (q[voted[:, i], k].sum() / q[:, k].sum())
                * (q[voted[:, j], k].sum() / q[:, k].sum())
                for k in range(2)
            )
            terms = (met - n * a * b) ** 2 / variance, (met - within) ** 2 / variance
            before, after = before + terms[0], after + terms[1]
            if (i, j) == (3, 1):
                dependent = terms
    co_voting = CoVoting(unique)
    assert co_voting.excess == pytest.approx(before / 10)
    expected = 1 - max(after - 10, 0) / (before - 10)
    alike = np.zeros((5, 5))
    assert co_voting.explained(posterior, alike) == pytest.approx(expected)
    alike[1, 3] = alike[3, 1] = 0.5
    before, after = before - dependent[0] - 9, after - dependent[1] - 9
    expected = 1 - max(after, 0) / before
    assert co_voting.explained(posterior, alike) == pytest.approx(expected)


def test_soft_votes_and_several_symbols_are_no_detectors():
    votes = np.array([[0, 0, 2, 0], [-1, 1, -1, -1], [0, 0, 2, 0]], dtype=np.int8)
    strength = np.ones(votes.shape, np.float32)
    strength[0, 3] = 0.8
    assert detectors(unique_votes(votes, strength, 2)).tolist() == [True, False, True, False]


def test_em_in_full_equals_loops():
    """Two steps with silence as a symbol, item by item."""
    votes, _ = keyword_votes(300, 4, 0.3, seed=5)
    balance = np.array([0.6, 0.4])
    model = DawidSkene(2, balance, abstention="informative", max_iterations=2, tolerance=0)
    model.fit(votes)
    n, m = votes.shape
    shares = np.tile(balance, (n, 1))
    for row, cast in enumerate(votes):
        if (cast >= 0).any():
            shares[row] = [(cast == k).sum() / (cast >= 0).sum() for k in range(2)]
    for _ in range(3):
        rate = np.empty((m, 2))
        for lf in range(m):
            voted = votes[:, lf] >= 0
            odds = (n - voted.sum() + 1) / voted.sum()
            for k in range(2):
                yes = shares[voted, k].sum() + (21 if k == lf % 2 else 1)
                rate[lf, k] = yes / (yes + shares[~voted, k].sum() + odds * 11)
        for row, cast in enumerate(votes):
            shares[row] = balance * np.where((cast >= 0)[:, None], rate, 1 - rate).prod(axis=0)
            shares[row] /= shares[row].sum()
    np.testing.assert_allclose(model.coverage_, rate, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(votes), shares, rtol=1e-9)


def test_an_unknown_treatment_is_refused():
    with pytest.raises(EpoxyError, match="no such treatment"):
        DawidSkene(2, abstention="believed").fit(np.zeros((3, 2), np.int8))
