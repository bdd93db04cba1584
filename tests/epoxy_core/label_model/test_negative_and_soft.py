"""Votes against a class and votes with a probability, against enumeration and loops."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import DawidSkene, MajorityVote, Triplets, make_label_model
from epoxy_core.label_model.anchors import pseudo_votes
from epoxy_core.label_model.unique_votes import unique_votes
from epoxy_core.label_model.vote_grams import VoteGrams, vote_grams

METHODS = ["majority_vote", "triplets", "dawid_skene"]


def true(vote, k):
    """Classes of which the vote is true."""
    return [vote] if vote < k else [label for label in range(k) if label != vote - k]


def parts(vote, claim, k):
    """A soft vote as {symbol: fraction of a vote}."""
    if vote >= k:
        return {vote: claim, vote - k: 1 - claim}
    return {label: claim if label == vote else (1 - claim) / (k - 1) for label in range(k)}


def world(n, knows, against, coverage=0.6, k=4, seed=0, balance=None):
    """LFs that know the class of a share of the items, and guess the others.

    Votes, classes, and the share of each LF's votes that are true.
    """
    generator = np.random.default_rng(seed)
    gold = generator.choice(k, size=n, p=balance)
    votes = np.full((n, len(knows)), -1, dtype=np.int8)
    right = np.zeros(len(knows))
    for lf, (share, negative) in enumerate(zip(knows, against, strict=True)):
        offset = generator.integers(1, k, size=n)
        said = (gold + offset) % k if negative else gold
        said = np.where(generator.random(n) < share, said, generator.integers(k, size=n))
        said = said + k * negative
        cast = generator.random(n) < coverage
        votes[cast, lf] = said[cast]
        right[lf] = np.mean((said[cast] % k == gold[cast]) != bool(negative))
    return votes, gold, right


def mixed_votes(n=250, k=3, m=5, seed=0):
    generator = np.random.default_rng(seed)
    votes = generator.integers(-1, 2 * k, size=(n, m)).astype(np.int8)
    votes[:, 0] = np.where(votes[:, 0] >= k, -1, votes[:, 0])
    votes[:, 1] = np.where((votes[:, 1] >= 0) & (votes[:, 1] < k), -1, votes[:, 1])
    claims = generator.choice([1, 0.9, 0.7], size=(n, m)).astype(np.float32)
    claims[:, :2] = 1
    return votes, claims


def em_by_loops(votes, claims, k, prior, steps):
    """Item by item; without patterns, matrices or logarithms."""
    n, m = votes.shape
    cast = [
        [
            (lf, v, part)
            for lf in range(m)
            if votes[row, lf] >= 0
            for v, part in parts(votes[row, lf], float(claims[row, lf]), k).items()
            if part > 0
        ]
        for row in range(n)
    ]
    posterior = np.tile(np.array(prior), (n, 1))
    for row, said in enumerate(cast):
        if said:
            posterior[row] = 0
            for _, v, part in said:
                posterior[row, true(v, k)] += part / len(true(v, k))
            posterior[row] /= posterior[row].sum()
    confusion = counted(cast, posterior, m)
    for _ in range(steps):
        posterior = np.array([bayes(said, confusion, prior) for said in cast])
        confusion = counted(cast, posterior, m)
    return confusion, np.array([bayes(said, confusion, prior) for said in cast])


def counted(cast, posterior, m):
    k = posterior.shape[1]
    kinds = [{v // k for said in cast for lf, v, _ in said if lf == at} for at in range(m)]
    confusion = np.zeros((m, 2 * k, k))
    for lf, v, y in itertools.product(range(m), range(2 * k), range(k)):
        if v // k in kinds[lf]:
            share = (1 if v < k else 1 / (k - 1)) if y in true(v, k) else 0
            confusion[lf, v, y] = (1 + 20 * share) / len(kinds[lf])
    for row, said in enumerate(cast):
        for lf, v, part in said:
            confusion[lf, v] += part * posterior[row]
    return confusion / confusion.sum(axis=1, keepdims=True)


def bayes(said, confusion, prior):
    weight = np.array(prior)
    for lf, v, part in said:
        weight = weight * confusion[lf, v] ** part
    return weight / weight.sum()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("balance", [None, [0.5, 0.3, 0.2]])
def test_dawid_skene_equals_naive_em(soft, balance):
    votes, claims = mixed_votes()
    claims = claims if soft else np.ones_like(claims)
    model = DawidSkene(3, balance, max_iterations=3, tolerance=0).fit(votes, claims)
    confusion, posterior = em_by_loops(votes, claims, 3, balance or [1 / 3] * 3, steps=3)
    assert model.confusion_.shape == model.evidence_.shape == (5, 6, 3)
    np.testing.assert_allclose(model.confusion_, confusion, rtol=1e-7)
    np.testing.assert_allclose(model.predict_proba(votes, claims), posterior, rtol=1e-6)


def test_anchors_know_as_often_for_as_against():
    """Without votes an LF is right beyond chance as often whichever kind it casts."""
    for k in (2, 3, 7):
        votes = np.array([[0, k, 0], [-1, -1, k]], dtype=np.int8)
        used = np.repeat([[True, False], [False, True], [True, True]], k, axis=1)
        confusion = pseudo_votes(used, k, 1, 20)
        confusion = confusion / confusion.sum(axis=1, keepdims=True)
        for lf in range(2):
            right = np.mean([confusion[lf, [v for v in range(2 * k) if y in true(v, k)], y].sum()
                             for y in range(k)])  # fmt: skip
            guess = [1 / k, (k - 1) / k][lf]
            assert (right - guess) / (1 - guess) == pytest.approx(20 / (20 + k))
        np.testing.assert_allclose(confusion[2], (confusion[0] + confusion[1]) / 2)
        assert DawidSkene(k).fit(votes).confusion_.shape == (3, 2 * k, k)


@pytest.mark.parametrize("method", METHODS)
def test_of_two_classes_against_one_is_for_the_other(method):
    votes, _, _ = world(500, [0.8, 0.6, 0.7, 0.5], [0, 0, 0, 0], k=2)
    against = votes.copy()
    against[:, 1:3] = np.where(votes[:, 1:3] >= 0, 3 - votes[:, 1:3], -1)
    plain, other = (make_label_model(method, 2).fit(v) for v in (votes, against))
    np.testing.assert_allclose(other.accuracy_, plain.accuracy_)
    np.testing.assert_allclose(other.predict_proba(against), plain.predict_proba(votes))


@pytest.mark.parametrize("method", METHODS)
def test_a_probability_of_one_is_a_plain_vote(method):
    votes, _ = mixed_votes()
    plain = make_label_model(method, 3).fit(votes)
    sure = make_label_model(method, 3).fit(votes, np.ones(votes.shape, np.float32))
    np.testing.assert_array_equal(plain.predict_proba(votes), sure.predict_proba(votes))
    unread = np.where(votes >= 0, 1, np.nan).astype(np.float32)
    np.testing.assert_array_equal(plain.predict_proba(votes), plain.predict_proba(votes, unread))


@pytest.mark.parametrize("method", METHODS)
def test_a_vote_as_sure_as_a_guess_adds_next_to_nothing(method):
    votes, _, _ = world(3000, [0.7] * 5, [0] * 5)
    model = make_label_model(method, 4).fit(votes)
    only = votes[votes[:, 0] >= 0].copy()
    only[:, 1:3] = -1
    claims = np.ones(only.shape, np.float32)
    claims[:, 0] = 0.25
    without = only.copy()
    without[:, 0] = -1
    found, expected = model.predict_proba(only, claims), model.predict_proba(without)
    assert np.abs(found - expected).max() < 0.06
    assert np.abs(found - model.predict_proba(only)).max() > 0.2


@pytest.mark.parametrize("method", METHODS)
def test_the_surer_a_vote_the_more_it_says(method):
    votes, _, _ = world(2000, [0.7, 0.6, 0.8], [0, 1, 0])
    model = make_label_model(method, 4).fit(votes)
    for row, named, sign in (([1, -1, 2], 1, 1), ([1, 5, -1], 1, -1)):
        last = -1.0
        for claim in (0.8, 0.9, 1.0):
            claims = np.array([[1, 1, 1]], np.float32)
            claims[0, 0 if sign > 0 else 1] = claim
            found = sign * model.predict_proba(np.array([row], np.int8), claims)[0, named]
            assert found >= last
            last = found


@pytest.mark.parametrize("method", ["triplets", "dawid_skene"])
def test_the_posterior_is_the_sum_of_the_evidence(method):
    votes, claims = mixed_votes()
    model = make_label_model(method, 3, [0.5, 0.2, 0.3]).fit(votes, claims)
    scores = np.log(np.tile([0.5, 0.2, 0.3], (len(votes), 1)))
    for row, lf in np.argwhere(votes >= 0):
        for v, part in parts(votes[row, lf], float(claims[row, lf]), 3).items():
            scores[row] += part * model.evidence_[lf, v]
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(votes, claims), expected, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_items_lfs_and_classes_does_not_matter(method):
    votes, claims = mixed_votes()
    model = make_label_model(method, 3).fit(votes, claims)
    found = model.predict_proba(votes, claims)
    generator = np.random.default_rng(1)
    items, lfs = generator.permutation(len(votes)), generator.permutation(5)
    other = make_label_model(method, 3).fit(votes[items], claims[items])
    np.testing.assert_array_equal(other.predict_proba(votes[items], claims[items]), found[items])
    other = make_label_model(method, 3).fit(votes[:, lfs], claims[:, lfs])
    np.testing.assert_allclose(other.predict_proba(votes[:, lfs], claims[:, lfs]), found, atol=1e-9)
    names = np.array([2, 0, 1])
    renamed = np.where(votes >= 0, names[votes % 3] + votes // 3 * 3, -1).astype(np.int8)
    other = make_label_model(method, 3).fit(renamed, claims).predict_proba(renamed, claims)
    np.testing.assert_allclose(other[:, names], found, atol=1e-9)


KNOWS = [0.8, 0.5, 0.7, 0.8, 0.6, 0.4]
AGAINST = [0, 1, 0, 1, 1, 0]


def true_confusion():
    table = np.zeros((6, 8, 4))
    for lf, v, y in itertools.product(range(6), range(8), range(4)):
        if v // 4 == AGAINST[lf]:
            known = KNOWS[lf] / (3 if v >= 4 else 1) * (y in true(v, 4))
            table[lf, v, y] = known + (1 - KNOWS[lf]) / 4
    return table


@pytest.mark.parametrize("method", ["triplets", "dawid_skene"])
@pytest.mark.parametrize("balance", [None, [0.4, 0.3, 0.2, 0.1]])
def test_recovers_what_votes_for_and_against_classes_are_worth(method, balance):
    votes, gold, right = world(20_000, KNOWS, AGAINST, balance=balance)
    model = make_label_model(method, 4, balance).fit(votes)
    table = true_confusion()
    if method == "triplets":
        np.testing.assert_allclose(model.accuracy_, right, atol=0.03)
    else:
        assert np.abs(model.confusion_ - table).max() < 0.08
    best = np.log(np.tile(balance or [0.25] * 4, (len(votes), 1)))
    for lf in range(6):
        voted = votes[:, lf] >= 0
        best[voted] += np.log(table[lf, votes[voted, lf]])
    best = np.exp(best) / np.exp(best).sum(axis=1, keepdims=True)
    found = model.predict_proba(votes)
    assert np.abs(found - best).mean() < 0.02
    assert (found.argmax(1) == gold).mean() > (best.argmax(1) == gold).mean() - 0.01


def test_votes_against_classes_help():
    votes, gold, _ = world(8000, [0.8, 0.7, 0.7, 0.7], [0, 1, 1, 1])
    blind = np.where(votes >= 4, -1, votes)
    for method in METHODS:
        with_them, without = (
            make_label_model(method, 4).fit(v).predict_proba(v) for v in (votes, blind)
        )
        credit = [p[np.arange(len(gold)), gold].mean() for p in (with_them, without)]
        assert credit[0] > credit[1] + 0.03, method


def test_a_test_for_one_class_says_most_where_it_votes_both_ways():
    """``spam`` or ``Not(spam)``: its sensitivity and specificity are learned."""
    votes, gold, _ = world(10_000, [0.7] * 5, [0] * 5)
    generator = np.random.default_rng(5)
    says = np.where(generator.random(10_000) < 0.9, gold == 1, gold != 1)
    votes[:, 0] = np.where(says, 1, 5)
    model = DawidSkene(4).fit(votes)
    np.testing.assert_allclose(model.confusion_[0, 1], [0.1, 0.9, 0.1, 0.1], atol=0.06)
    np.testing.assert_allclose(model.confusion_[0, 5], [0.9, 0.1, 0.9, 0.9], atol=0.06)
    assert model.accuracy_[0] == pytest.approx(0.9, abs=0.05)


def test_triplets_recover_accuracies_from_soft_votes():
    """Calibrated claims: what is claimed with s is true with probability s."""
    generator = np.random.default_rng(0)
    n, k = 30_000, 4
    gold = generator.integers(k, size=n)
    votes, claims = np.empty((n, 5), np.int8), np.empty((n, 5), np.float32)
    for lf in range(5):
        negative = lf in (1, 3)
        claim = generator.uniform(0.75 if negative else 0.3, 1, size=n) ** [1, 1, 2, 0.7, 0.5][lf]
        claim = np.maximum(claim, 0.76 if negative else 0.26)
        right = generator.random(n) < claim
        other = (gold + generator.integers(1, k, size=n)) % k
        votes[:, lf] = np.where(right == negative, other, gold) + k * negative
        claims[:, lf] = claim
    model = Triplets(k).fit(votes, claims)
    np.testing.assert_allclose(model.accuracy_, claims.mean(axis=0), atol=0.03)
    assert (model.predict_proba(votes, claims).argmax(1) == gold).mean() > 0.8


def test_grams_of_chunks_add_up_with_negative_and_soft_votes():
    votes, claims = mixed_votes(n=600)
    parts_ = [
        vote_grams(v, 3, c)
        for v, c in zip(np.array_split(votes, 4), np.array_split(claims, 4), strict=True)
    ]
    summed = VoteGrams(*(sum(counts) for counts in zip(*parts_, strict=True)))
    whole = vote_grams(votes, 3, claims)
    for one, other in zip(summed, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)
    np.testing.assert_allclose(
        Triplets(3).fit_grams(summed).accuracy_, Triplets(3).fit(votes, claims).accuracy_
    )


def test_majority_vote_by_naive_loops():
    votes, claims = mixed_votes(k=3)
    found = MajorityVote(3, [0.5, 0.3, 0.2]).fit(votes, claims)
    probabilities = found.predict_proba(votes, claims)

    def winners(row, without=None):
        tally = np.zeros(3)
        for lf in range(5):
            if votes[row, lf] >= 0 and lf != without:
                for v, part in parts(votes[row, lf], float(claims[row, lf]), 3).items():
                    tally[true(v, 3)] += part / len(true(v, 3))
        top = np.flatnonzero(tally > tally.max() - 1e-9)
        return np.bincount(top, minlength=3) / len(top)

    for row in range(len(votes)):
        silent = (votes[row] < 0).all()
        np.testing.assert_allclose(probabilities[row], [0.5, 0.3, 0.2] if silent else winners(row))
    for lf in range(5):
        rows = [
            row for row in range(len(votes)) if votes[row, lf] >= 0 and (votes[row] >= 0).sum() > 1
        ]
        agreed = sum(winners(row, lf)[true(votes[row, lf], 3)].sum() for row in rows)
        cast = votes[votes[:, lf] >= 0, lf]
        guess = np.where(cast >= 3, 2 / 3, 1 / 3).mean()
        prior = guess + 0.55 * (1 - guess)  # 0.7 for votes for one of three classes
        assert found.accuracy_[lf] == pytest.approx((agreed + 30 * prior) / (len(rows) + 30))


def test_ties_of_votes_against_classes():
    votes = np.array([[4, 5, 6], [4, 5, -1], [0, 4, -1], [4, 4, 0]], dtype=np.int8)
    found = MajorityVote(4).predict_proba(votes)
    np.testing.assert_allclose(found[0], [0, 0, 0, 1])
    np.testing.assert_allclose(found[1], [0, 0, 0.5, 0.5])
    np.testing.assert_allclose(found[2], [1, 0, 0, 0])
    np.testing.assert_allclose(found[3], [1, 0, 0, 0])


@given(
    hnp.arrays(np.int8, (12, 3), elements=st.sampled_from([-1, 0, 1, 4])),
    hnp.arrays(np.float32, (12, 3), elements=st.sampled_from([0.75, 0.875, 1.0])),
)
@settings(max_examples=60, deadline=None)
def test_unique_rows_of_votes_and_probabilities(votes, claims):
    found = unique_votes(votes, claims, 3)
    known = np.where(votes >= 0, claims, 1)
    np.testing.assert_array_equal(found.patterns[found.inverse], votes)
    strength = (
        np.ones_like(found.patterns, np.float32) if found.strength is None else found.strength
    )
    np.testing.assert_array_equal(strength[found.inverse], known)
    rows = [(*v, *c) for v, c in zip(votes.tolist(), known.tolist(), strict=True)]
    distinct = [(*v, *c) for v, c in zip(found.patterns.tolist(), strength.tolist(), strict=True)]
    assert len(distinct) == len(set(distinct)) == len(set(rows))
    assert [rows.count(row) for row in distinct] == found.counts.tolist()
    assert (found.strength is None) == bool((known == 1).all())


@pytest.mark.parametrize("method", METHODS)
def test_bad_votes_and_probabilities_are_named(method):
    model = make_label_model(method, 3)
    votes = np.array([[0, -1], [2, 5]], np.int8)
    with pytest.raises(EpoxyError, match="vote 6"):
        model.fit(votes + 1)
    for claim in (0, 1.5, np.nan):
        with pytest.raises(EpoxyError, match="probability") as raised:
            model.fit(votes, np.array([[1, 1], [1, claim]], np.float32))
        assert raised.value.where == "vote matrix row 1, labeling function 1"
    with pytest.raises(EpoxyError, match="probabilities are"):
        model.fit(votes, np.ones((2, 3), np.float32))
    model.fit(votes[:1])
    if method != "majority_vote":
        with pytest.raises(EpoxyError, match="fitted without any"):
            model.predict_proba(votes)
