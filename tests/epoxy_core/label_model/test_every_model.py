"""What holds for every label model."""

import numpy as np
import pytest

from epoxy_core.label_model import make_label_model

METHODS = ["majority_vote", "triplets", "dawid_skene"]


def one_coin(n, accuracies, coverages, n_classes, seed=0, balance=None):
    generator = np.random.default_rng(seed)
    gold = generator.choice(n_classes, size=n, p=balance)
    votes = np.full((n, len(accuracies)), -1, dtype=np.int8)
    for lf, (accuracy, coverage) in enumerate(zip(accuracies, coverages, strict=True)):
        wrong = (gold + generator.integers(1, n_classes, size=n)) % n_classes
        vote = np.where(generator.random(n) < accuracy, gold, wrong)
        votes[:, lf] = np.where(generator.random(n) < coverage, vote, -1)
    return votes, gold


def true_posterior(votes, accuracies, n_classes, balance=None):
    logits = np.log(np.tile(balance or [1 / n_classes] * n_classes, (len(votes), 1)))
    for row, vote in enumerate(votes):
        for lf, label in enumerate(vote):
            if label >= 0:
                right = accuracies[lf]
                given = np.full(n_classes, np.log((1 - right) / (n_classes - 1)))
                given[label] = np.log(right)
                logits[row] += given
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


ACCURACIES = [0.9, 0.8, 0.7, 0.6, 0.85, 0.75]


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_are_probabilities_and_runs_repeat(method, n_classes):
    votes, _ = one_coin(800, ACCURACIES, [0.4] * 6, n_classes)
    first = make_label_model(method, n_classes).fit(votes)
    again = make_label_model(method, n_classes).fit(votes)
    probabilities = first.predict_proba(votes)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities >= 0).all()
    np.testing.assert_array_equal(probabilities, again.predict_proba(votes))
    assert first.accuracy_.dtype == np.float64
    assert ((first.accuracy_ >= 0) & (first.accuracy_ <= 1)).all()


def test_an_item_without_votes_gets_the_class_balance(method):
    votes, _ = one_coin(300, ACCURACIES[:3], [0.5] * 3, 3)
    votes[7] = -1
    balance = [0.2, 0.5, 0.3]
    model = make_label_model(method, 3, balance).fit(votes)
    np.testing.assert_allclose(model.predict_proba(votes)[7], balance)


def test_an_lf_that_never_votes_changes_nothing(method):
    votes, _ = one_coin(500, ACCURACIES[:4], [0.5] * 4, 2)
    silent = np.insert(votes, 2, -1, axis=1)
    with_it = make_label_model(method, 2).fit(silent)
    without = make_label_model(method, 2).fit(votes)
    np.testing.assert_allclose(with_it.predict_proba(silent), without.predict_proba(votes))
    np.testing.assert_allclose(np.delete(with_it.accuracy_, 2), without.accuracy_)
    assert with_it.accuracy_[2] == pytest.approx(0.7)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (5, 3)])
def test_no_items_no_lfs_no_votes(method, shape):
    votes = np.full(shape, -1, dtype=np.int8)
    model = make_label_model(method, 3).fit(votes)
    np.testing.assert_allclose(model.predict_proba(votes), np.full((shape[0], 3), 1 / 3))
    np.testing.assert_allclose(model.accuracy_, np.full(shape[1], 0.7))


@pytest.mark.parametrize("m", [1, 2])
def test_one_lf_and_two_lfs_follow_the_votes(method, m):
    votes, _ = one_coin(400, ACCURACIES[:m], [0.7] * m, 2)
    probabilities = make_label_model(method, 2).fit(votes).predict_proba(votes)
    alone = (votes >= 0).sum(axis=1) == 1
    np.testing.assert_array_equal(probabilities[alone].argmax(axis=1), votes[alone].max(axis=1))
    agreed = (votes >= 0).all(axis=1) & (votes == votes[:, :1]).all(axis=1)
    np.testing.assert_array_equal(probabilities[agreed].argmax(axis=1), votes[agreed, 0])


def test_lfs_that_never_overlap_follow_the_votes(method):
    votes = np.full((90, 3), -1, dtype=np.int8)
    for lf in range(3):
        votes[lf * 30 : lf * 30 + 30, lf] = np.arange(30) % 2
    model = make_label_model(method, 2).fit(votes)
    np.testing.assert_array_equal(model.predict_proba(votes).argmax(axis=1), votes.max(axis=1))
    np.testing.assert_allclose(model.accuracy_, 0.7)


def test_order_of_items_lfs_and_classes_does_not_matter(method):
    n_classes = 3
    votes, _ = one_coin(600, ACCURACIES, [0.5] * 6, n_classes)
    model = make_label_model(method, n_classes).fit(votes)
    probabilities = model.predict_proba(votes)
    generator = np.random.default_rng(1)

    items = generator.permutation(600)
    shuffled = make_label_model(method, n_classes).fit(votes[items])
    np.testing.assert_array_equal(shuffled.predict_proba(votes[items]), probabilities[items])

    lfs = generator.permutation(6)
    shuffled = make_label_model(method, n_classes).fit(votes[:, lfs])
    np.testing.assert_allclose(shuffled.accuracy_, model.accuracy_[lfs], atol=1e-9)
    np.testing.assert_allclose(shuffled.predict_proba(votes[:, lfs]), probabilities, atol=1e-9)

    names = np.array([2, 0, 1])
    renamed = np.where(votes >= 0, names[votes], -1).astype(np.int8)
    other = make_label_model(method, n_classes).fit(renamed).predict_proba(renamed)
    np.testing.assert_allclose(other[:, names], probabilities, atol=1e-9)


@pytest.mark.parametrize("method", ["triplets", "dawid_skene"])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_posterior_is_near_that_of_the_true_parameters(method, n_classes):
    votes, gold = one_coin(5000, ACCURACIES, [0.6] * 6, n_classes)
    model = make_label_model(method, n_classes).fit(votes)
    found, best = model.predict_proba(votes), true_posterior(votes, ACCURACIES, n_classes)
    assert np.abs(found - best).mean() < 0.025
    credit = (found.argmax(axis=1) == gold).mean() - (best.argmax(axis=1) == gold).mean()
    assert credit > -0.01


@pytest.mark.parametrize("method", ["triplets", "dawid_skene"])
def test_a_given_class_balance_is_used(method):
    balance = [0.8, 0.2]
    votes, _ = one_coin(5000, ACCURACIES, [0.5] * 6, 2, balance=balance)
    model = make_label_model(method, 2, balance).fit(votes)
    best = true_posterior(votes, ACCURACIES, 2, balance)
    assert np.abs(model.predict_proba(votes) - best).mean() < 0.025


@pytest.mark.parametrize("balance", [None, [0.5, 0.2, 0.3]])
@pytest.mark.parametrize("method", ["triplets", "dawid_skene"])
def test_the_posterior_is_the_sum_of_the_evidence(method, balance):
    votes, _ = one_coin(400, ACCURACIES, [0.5] * 6, 3)
    model = make_label_model(method, 3, balance).fit(votes)
    scores = np.log(np.tile(balance or [1 / 3] * 3, (len(votes), 1)))
    for row, vote in enumerate(votes):
        for lf, label in enumerate(vote):
            if label >= 0:
                scores[row] += model.evidence_[lf, label]
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(votes), expected, atol=1e-12)


def test_the_majority_has_the_most_evidence():
    votes, _ = one_coin(400, ACCURACIES, [0.5] * 6, 3)
    votes = votes[(votes >= 0).any(axis=1)]
    model = make_label_model("majority_vote", 3).fit(votes)
    scores = sum(
        np.where((vote >= 0)[:, None], evidence[vote], 0)
        for vote, evidence in zip(votes.T, model.evidence_, strict=True)
    )
    np.testing.assert_array_equal(model.predict_proba(votes).argmax(1), scores.argmax(1))
