import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality.published_epoxy import (
    LEVELS,
    candidates,
    extend,
    threshold_grid,
    tuned_epoxy,
)
from epoxy_core.label_model import MajorityVote


def majority(fit, predict):
    return MajorityVote(2).fit(fit).predict_proba(predict)


def extended_by_hand(votes, embeddings, train, thresholds):
    found = votes.copy()
    for item in range(len(votes)):
        for lf in range(votes.shape[1]):
            if votes[item, lf] >= 0:
                continue
            best = None
            for other in range(len(votes)):
                if train[other] and votes[other, lf] >= 0:
                    similarity = float(embeddings[item] @ embeddings[other])
                    if best is None or similarity > best[0] + 1e-6:
                        best = (similarity, votes[other, lf])
            if best and best[0] > thresholds[lf]:
                found[item, lf] = best[1]
    return found


@given(st.integers(0, 2**31))
def test_extension_is_that_of_an_exhaustive_search(seed):
    draw = np.random.default_rng(seed)
    embeddings = draw.normal(size=(12, 4))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    votes = draw.choice([-1, -1, 0, 1], (12, 3)).astype(np.int8)
    train = draw.random(12) < 0.6
    thresholds = np.array([-0.123, 0.321, 2.0])
    found = extend(candidates(votes, embeddings, train), thresholds)
    expected = extended_by_hand(votes, embeddings, train, thresholds)
    np.testing.assert_array_equal(found, expected)


def test_the_grid_is_from_everything_to_nothing_borrowed():
    embeddings = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], dtype=np.float32)
    votes = np.array([[1, -1], [-1, -1], [-1, -1], [-1, -1]], dtype=np.int8)
    train = np.array([True, True, True, False])
    borrowable = candidates(votes, embeddings, train)
    grid = threshold_grid(borrowable, train)
    assert grid.shape == (2, len(LEVELS))
    assert LEVELS[0] == 0
    assert LEVELS[-1] == 1
    assert grid[0, LEVELS.index(0.5)] == pytest.approx(0.7)  # of .6 and .8; test items are unseen
    reached = [
        (extend(borrowable, grid[:, level])[:, 0] >= 0).sum() for level in range(len(LEVELS))
    ]
    assert reached[0] == 4
    assert reached[-1] == 1
    assert reached == sorted(reached, reverse=True)
    assert (extend(borrowable, grid[:, 0])[:, 1] == -1).all()  # nothing to borrow


def two_corners():
    """Two groups of items; LF 0 knows each group's class from one item, LF 1 is of no use."""
    right = np.tile([0, 1], 10).astype(np.int8)
    angle = np.where(right == 0, 0.0, 1.2) + np.linspace(0, 0.2, 20)
    embeddings = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    train = np.arange(20) < 12
    votes = np.full((20, 2), -1, dtype=np.int8)
    votes[:2, 0] = right[:2]
    gold = np.where((np.arange(20) >= 12) & (np.arange(20) < 16), right, np.int8(-1))
    return votes, embeddings, train, gold, right


def test_borrowed_votes_that_are_right_are_let_in():
    votes, embeddings, train, gold, right = two_corners()
    tuned = tuned_epoxy(votes, embeddings, train, gold, majority)
    assert tuned.probabilities.argmax(axis=1).tolist() == right.tolist()
    assert (tuned.votes[:, 0] == right).all()


def test_borrowed_votes_that_are_wrong_are_not():
    votes, embeddings, train, gold, right = two_corners()
    votes[:2, 0] = 1 - right[:2]
    tuned = tuned_epoxy(votes, embeddings, train, gold, majority)
    np.testing.assert_array_equal(tuned.votes, votes)
    assert (tuned.thresholds > 1).all()


def test_one_bad_labeling_function_does_not_spoil_the_other():
    votes, embeddings, train, gold, right = two_corners()
    # Same votes from LF 0, but LF 1 lends the wrong class to both groups: ties, until it is shut.
    votes[2:4, 1] = 1 - right[2:4]
    tuned = tuned_epoxy(votes, embeddings, train, gold, majority)
    labelled = gold >= 0
    assert (tuned.probabilities.argmax(axis=1) == right)[labelled].all()
    assert tuned.thresholds[0] < 1 < tuned.thresholds[1]


def test_gold_labels_of_other_items_are_not_read():
    votes, embeddings, train, gold, _ = two_corners()
    tuned = tuned_epoxy(votes, embeddings, train, gold, majority)
    changed = votes.copy()
    changed[16:] = 0  # votes of items that are neither train nor labelled
    again = tuned_epoxy(changed, embeddings, train, gold, majority)
    np.testing.assert_array_equal(tuned.thresholds, again.thresholds)
    np.testing.assert_array_equal(tuned.probabilities[:16], again.probabilities[:16])
