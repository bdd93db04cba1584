"""What labeling functions may say of an item that may have several classes."""

import numpy as np
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import MultiLabelReader, Not, Soft, multi_label_votes
from epoxy_core.labeling.votes import InvalidVoteError

CLASSES = ["news", "sport", "money"]


@pytest.mark.parametrize(
    ("value", "abstaining", "denying"),
    [
        (None, [-1, -1, -1], [-1, -1, -1]),
        (-1, [-1, -1, -1], [-1, -1, -1]),
        ([], [-1, -1, -1], [0, 0, 0]),
        ("sport", [-1, 1, -1], [0, 1, 0]),
        (np.int64(2), [-1, -1, 1], [0, 0, 1]),
        (["sport", "news"], [1, 1, -1], [1, 1, 0]),
        ({2, 0}, [1, -1, 1], [1, 0, 1]),
        (Not("sport"), [-1, 0, -1], [-1, 0, -1]),
        ([Not("sport"), Not(0)], [0, 0, -1], [0, 0, -1]),
        (["money", Not("sport")], [-1, 0, 1], [0, 0, 1]),
    ],
)
def test_plain_values(value, abstaining, denying):
    for default, expected in (("abstain", abstaining), ("deny", denying)):
        votes, strength = MultiLabelReader(CLASSES, default).read(value)
        assert votes.dtype == np.int8
        assert votes.tolist() == expected
        assert (strength == 1).all()


@pytest.mark.parametrize(
    ("value", "expected", "claims"),
    [
        (Soft("sport", 0.8), [-1, 1, -1], [1, 0.8, 1]),
        ([Soft(Not("news"), 0.6), "money"], [0, -1, 1], [0.6, 1, 1]),
        ({"news": 0.9, "sport": 0.2, "money": 0.5}, [1, 0, 1], [0.9, 0.8, 0.5]),
        ({"news": 1, "sport": 0}, [1, 0, -1], [1, 1, 1]),
    ],
)
def test_soft_values(value, expected, claims):
    votes, strength = MultiLabelReader(CLASSES).read(value)
    assert votes.tolist() == expected
    np.testing.assert_allclose(strength, claims, rtol=1e-6)


def test_a_class_of_two_is_no_vote_on_the_other():
    votes, _ = MultiLabelReader(["a", "b"]).read(Not("a"))
    assert votes.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("sports", ["returned 'sports' (str)", "'news', 'sport', 'money'", "a list of these"]),
        (["news", 3], ["returned ['news', 3] (list)", "indices 0 to 2"]),
        (True, ["returned True (bool)"]),
        ([None], ["returned [None]"]),
        (["news", Not("news")], ["'news' is named twice"]),
        (["news", 0], ["'news' is named twice"]),
        ({"news": 1.2}, ["the probability 1.2 is not a number from 0 to 1"]),
        ({"news": float("nan")}, ["the probability nan"]),
        ({"news": True}, ["the probability True"]),
        ({Not("news"): 0.5}, ["allowed are the classes"]),
        (Soft("news", 0.3), ["below that of a guess, 0.5; write Soft(Not('news'), 0.7)"]),
        (Soft(Not("news"), 0.3), ["write Soft('news', 0.7)"]),
    ],
)
def test_what_is_no_vote(value, words):
    with pytest.raises(InvalidVoteError) as raised:
        MultiLabelReader(CLASSES).read(value)
    assert all(word in str(raised.value) for word in words), raised.value


def test_votes_of_several_functions():
    returned = [["news", None, ["news", "sport"]], [Not("sport"), Soft("money", 0.75), "sport"]]
    votes, strength = multi_label_votes(returned, CLASSES, ["abstain", "deny"])
    assert votes.shape == (3, 2, 3)
    assert votes[:, 0].tolist() == [[1, -1, -1], [-1, -1, -1], [1, 1, -1]]
    assert votes[:, 1].tolist() == [[-1, 0, -1], [0, 0, 1], [0, 1, 0]]
    assert strength[1, 1, 2] == 0.75
    assert (strength != 1).sum() == 1
    assert multi_label_votes(returned[:1], CLASSES).strength is None
    assert multi_label_votes([], CLASSES).votes.shape == (0, 0, 3)


def test_errors_name_item_and_function():
    with pytest.raises(EpoxyError, match="item 1, labeling function 0: returned 'x'"):
        multi_label_votes([["news", "x"]], CLASSES)
    with pytest.raises(EpoxyError, match="2 labeling functions"):
        multi_label_votes([["news"], []], CLASSES)
    with pytest.raises(EpoxyError, match="1 defaults"):
        multi_label_votes([["news"], ["sport"]], CLASSES, ["deny"])
    with pytest.raises(EpoxyError, match="Choose abstain or deny"):
        MultiLabelReader(CLASSES, "refuse")
