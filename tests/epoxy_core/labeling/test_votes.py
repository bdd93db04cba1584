import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.labeling import Not, Soft
from epoxy_core.labeling.votes import InvalidVoteError, VoteReader

THREE = VoteReader(["ham", "spam", "news"])
TWO = VoteReader(["ham", "spam"])


@pytest.mark.parametrize(
    ("value", "cast"),
    [
        ("spam", (1, 1)),
        (np.int16(2), (2, 1)),
        (None, (-1, 1)),
        (-1, (-1, 1)),
        (np.int8(-1), (-1, 1)),
        (Not("spam"), (4, 1)),
        (Not(0), (3, 1)),
        (Soft("spam", 0.8), (1, 0.8)),
        (Soft(2, np.float32(0.5)), (2, 0.5)),
        (Soft("ham", 1), (0, 1)),
        (Soft(Not("news"), 0.9), (5, 0.9)),
        (Soft("ham", 1 / 3), (0, 1 / 3)),
        ({"ham": 0.2, "spam": 0.5, "news": 0.3}, (1, 0.5)),
        ({1: 0.7, "ham": 0.3}, (1, 0.7)),
        ({"news": 1}, (2, 1)),
        ({"spam": 0.4, "news": 0.4, "ham": 0.2}, (1, 0.4)),
        ({"ham": 0.4, "spam": 0.6005}, (1, 0.6005 / 1.0005)),
    ],
)
def test_what_a_value_says(value, cast):
    assert THREE.read(value) == pytest.approx(cast)


@pytest.mark.parametrize(
    ("value", "cast"),
    [(Not("ham"), (1, 1)), (Not(1), (0, 1)), (Soft(Not("spam"), 0.7), (0, 0.7))],
)
def test_of_two_classes_not_the_one_is_the_other(value, cast):
    assert TWO.read(value) == cast


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (3, r"returned 3 \(int\); allowed are the classes 'ham', 'spam', 'news'.*Not\(class\)"),
        (Not("spma"), r"returned Not\('spma'\) \(Not\); allowed"),
        (Not(True), "returned Not"),
        (Not(None), "returned Not"),
        (Soft("spma", 0.8), r"returned Soft\('spma', 0.8\)"),
        (Soft(None, 0.8), "returned Soft"),
        (Soft("spam", 0), "0 of 'spam' is not a number above 0 and at most 1"),
        (Soft("spam", 1.01), "1.01 of 'spam' is not a number"),
        (Soft("spam", float("nan")), "nan of 'spam' is not a number"),
        (Soft("spam", True), "True of 'spam' is not a number"),
        (Soft("spam", "0.8"), "'0.8' of 'spam' is not a number"),
        (Soft("spam", 0.2), r"below that of a guess, 0\.3333.*Soft\(Not\('spam'\), 0\.8\)"),
        (Soft(Not("spam"), 0.5), r"not 'spam' is below.*0\.6667.*Soft\('spam', 0\.5\)"),
        ({"ham": 0.5, "spam": 0.3}, "sum to 0.8, not to 1"),
        ({}, "sum to 0, not to 1"),
        ({"ham": 1.2, "spam": -0.2}, "1.2 of 'ham' is not a number from 0 to 1"),
        ({"ham": float("nan"), "spam": 0.5}, "nan of 'ham' is not"),
        ({"hm": 1.0}, r"returned \{'hm': 1.0\} \(dict\)"),
        ({Not("ham"): 1.0}, r"returned \{Not"),
    ],
)
def test_what_is_no_vote_says_why(value, problem):
    with pytest.raises(InvalidVoteError, match=problem):
        THREE.read(value)


def test_below_a_guess_of_two_classes_is_a_vote_for_the_other():
    with pytest.raises(InvalidVoteError, match=r"Soft\('ham', 0\.6\)"):
        TWO.read(Soft("spam", 0.4))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0.01))
def test_a_mapping_is_its_most_probable_class(shares):
    shares = [share / sum(shares) for share in shares]
    symbol, probability = THREE.read(dict(zip(THREE.classes, shares, strict=True)))
    assert shares[symbol] == max(shares)
    assert probability == pytest.approx(max(shares), rel=1e-6)
    assert probability >= 1 / 3 - 1e-9
