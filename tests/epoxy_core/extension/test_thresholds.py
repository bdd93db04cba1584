import numpy as np

from epoxy_core.extension import ExtendedVotes, dev_threshold


def extended(votes, similarity):
    """Votes at similarity 1 are own ones, the others borrowed from row 0."""
    similarity = np.array(similarity, dtype=np.float32)
    source = np.where(similarity == 1, np.arange(len(votes)), 0)
    return ExtendedVotes(np.array(votes, dtype=np.int8), source.astype(np.int32), similarity)


def test_stops_where_borrowed_votes_turn_wrong():
    # Row 0 is the source; right down to a similarity of .75, a coin toss below.
    similarity = np.r_[1.0, np.linspace(0.99, 0.51, 49)].astype(np.float32)
    gold = np.zeros(50, dtype=int)
    votes = np.where(similarity >= 0.75, 0, np.arange(50) % 2)
    found = dev_threshold(extended(votes, similarity), gold, 2)
    assert 0.7 < found <= 0.7501
    assert found in similarity


def test_all_right_takes_them_all_and_all_wrong_takes_none():
    similarity = np.r_[1.0, np.linspace(0.9, 0.3, 30)]
    gold = np.zeros(31, dtype=int)
    right = extended(np.zeros(31), similarity)
    wrong = extended(np.r_[0, np.ones(30)], similarity)
    assert dev_threshold(right, gold, 2) == np.float32(0.3)
    assert dev_threshold(wrong, gold, 2) == 1.0
    assert dev_threshold(wrong, gold, 2, default=0.9) == 0.9


def test_votes_against_a_class_are_right_where_it_is_another():
    similarity = np.r_[1.0, np.linspace(0.9, 0.3, 60)]
    gold = np.r_[1, 1 + np.arange(60) % 3]
    against = extended(np.full(61, 4), similarity)  # not class 0 of four
    assert dev_threshold(against, gold, 4) == np.float32(0.3)
    assert dev_threshold(against, np.zeros(61, dtype=int), 4) == 1.0
    # Three in four are right by chance: that is no reason to borrow.
    assert dev_threshold(against, np.arange(61) % 4, 4) == 1.0
    # Of two classes, as votes for the other one.
    turns = np.where(similarity >= 0.6, 1, 0)
    votes = extended(np.full(61, 1), similarity), extended(np.full(61, 2), similarity)
    found = [dev_threshold(each, turns, 2) for each in votes]
    assert found[0] == found[1]
    assert 0.59 < found[0] < 0.65


def test_one_lucky_vote_is_no_evidence():
    gold = np.array([0, 0, -1])
    assert dev_threshold(extended([0, 0, 0], [1.0, 0.2, 0.9]), gold, 2) == 1.0


def test_only_dev_items_count():
    similarity = np.r_[1.0, np.linspace(0.9, 0.3, 30)]
    gold = np.full(31, -1)
    assert dev_threshold(extended(np.zeros(31), similarity), gold, 2, default=0.8) == 0.8


def test_a_threshold_inside_a_tie_is_not_offered():
    # At .5, six right ones come first and twenty wrong ones after: all or nothing.
    votes = np.r_[0, np.zeros(6), np.ones(20)]
    similarity = np.r_[1.0, np.full(26, 0.5)]
    assert dev_threshold(extended(votes, similarity), np.zeros(27, dtype=int), 2) == 1.0
