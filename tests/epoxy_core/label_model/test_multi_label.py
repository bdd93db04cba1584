"""Label models for items that may have several classes."""

import re
from pathlib import Path

import numpy as np
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import DawidSkene, MajorityVote, MultiLabel, Triplets
from epoxy_core.labeling import Not, Soft, multi_label_votes

METHODS = [MajorityVote, Triplets, DawidSkene]
SHARES = [0.1, 0.3, 0.5, 0.2]
ACCURACIES = np.array(
    [[0.9, 0.8, 0.7, 0.95], [0.7, 0.9, 0.8, 0.9], [0.8, 0.7, 0.9, 0.8], [0.85, 0.75, 0.8, 0.7]]
)


@pytest.fixture(params=METHODS)
def make_model(request):
    return request.param


def world(n, coverage=0.7, seed=0):
    """Independent classes; LFs of known accuracy on each."""
    generator = np.random.default_rng(seed)
    gold = generator.random((n, 4)) < SHARES
    right = generator.random((n, 4, 4)) < ACCURACIES
    votes = np.where(right, gold[:, None], ~gold[:, None]).astype(np.int8)
    votes[generator.random(votes.shape) > coverage] = -1
    return votes, gold


def test_one_class_is_one_binary_label_model(make_model):
    votes, _ = world(500)
    claims = np.random.default_rng(1).choice([1, 0.75], votes.shape).astype(np.float32)
    for strength in (None, claims):
        found = MultiLabel(make_model, SHARES).fit(votes, strength)
        probabilities = found.predict_proba(votes, strength)
        assert probabilities.shape == (500, 4)
        assert probabilities.dtype == np.float64
        assert found.accuracy_.shape == (4, 4)
        for label, share in enumerate(SHARES):
            part = None if strength is None else strength[:, :, label]
            alone = make_model(2, [1 - share, share]).fit(votes[:, :, label], part)
            np.testing.assert_array_equal(found.accuracy_[:, label], alone.accuracy_)
            expected = alone.predict_proba(votes[:, :, label], part)[:, 1]
            np.testing.assert_array_equal(probabilities[:, label], expected)


@pytest.mark.parametrize("method", [Triplets, DawidSkene])
def test_accuracies_and_posteriors_are_found(method):
    votes, gold = world(20_000)
    found = MultiLabel(method, SHARES).fit(votes)
    logits = np.tile(np.log(SHARES) - np.log1p(-np.array(SHARES)), (len(votes), 1))
    worth = np.log(ACCURACIES) - np.log1p(-ACCURACIES)
    logits += np.where(votes >= 0, (2 * votes - 1) * worth, 0).sum(axis=1)
    best = 1 / (1 + np.exp(-logits))
    probabilities = found.predict_proba(votes)
    # Rare classes are the hardest: half of class 0's votes for it are wrong.
    assert np.abs(probabilities - best).mean() < 0.05
    assert ((probabilities > 0.5) == gold).mean() > ((best > 0.5) == gold).mean() - 0.01
    assert np.corrcoef(found.accuracy_.ravel(), ACCURACIES.ravel())[0, 1] > 0.8
    assert not np.allclose(probabilities.sum(axis=1), 1, atol=0.1)


def test_several_classes_one_class_none():
    returned = [
        [["a", "b"], "a", Not("c"), None],
        [["a", "b"], ["a", Not("b")], Not("c"), None],
        ["b", Soft("a", 0.9), [], None],
    ]
    votes, strength = multi_label_votes(returned, ["a", "b", "c"])
    shares = [0.2, 0.2, 0.4]
    found = MultiLabel(DawidSkene, shares).fit(votes, strength)
    probabilities = found.predict_proba(votes, strength)
    np.testing.assert_array_equal(
        probabilities > 0.5,
        [[True, True, False], [True, False, False], [False] * 3, [False] * 3],
    )
    np.testing.assert_allclose(probabilities[3], shares)
    assert probabilities[2, 2] < 0.4
    np.testing.assert_allclose(probabilities[2, :2], shares[:2])


def test_without_shares_a_class_without_votes_is_even(make_model):
    votes = np.full((3, 2, 5), -1, np.int8)
    model = MultiLabel(make_model).fit(votes)
    np.testing.assert_allclose(model.predict_proba(votes), 0.5)
    assert MultiLabel(make_model).fit(votes[:0]).predict_proba(votes[:0]).shape == (0, 5)


def test_order_of_classes_does_not_matter(make_model):
    votes, _ = world(400)
    order = [2, 0, 3, 1]
    one = MultiLabel(make_model, SHARES).fit(votes).predict_proba(votes)
    moved = MultiLabel(make_model, [SHARES[label] for label in order])
    other = moved.fit(votes[:, :, order]).predict_proba(votes[:, :, order])
    np.testing.assert_array_equal(one[:, order], other)


def test_bad_votes_and_shares_are_named():
    votes, _ = world(20)
    model = MultiLabel(MajorityVote).fit(votes)
    wrong = votes.copy()
    wrong[3, 1, 2] = 2
    for call in (model.fit, model.predict_proba):
        with pytest.raises(EpoxyError, match="vote 2 on a class") as raised:
            call(wrong)
        assert raised.value.where == "item 3, labeling function 1, class 2"
    with pytest.raises(EpoxyError, match=r"the votes are \(20, 4\)"):
        model.fit(votes[:, :, 0])
    with pytest.raises(EpoxyError, match="their probabilities"):
        model.fit(votes, np.ones((20, 4), np.float32))
    with pytest.raises(EpoxyError, match="fitted on 4"):
        model.predict_proba(votes[:, :, :2])
    for shares in ([0.5], [0.1, 0.2, 0.3, 1.0], [0.1, 0.2, 0.3, np.nan]):
        with pytest.raises(EpoxyError, match="not the shares of 4 classes"):
            MultiLabel(MajorityVote, shares).fit(votes)


def test_the_example_of_the_documentation():
    page = (Path(__file__).parents[3] / "docs" / "method.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {}
    exec(example, names)
    assert names["probabilities"].shape == (3, 3)
    found = names["probabilities"]
    assert found[0].argmax() == 2
    assert found[2].argmax() == 0
