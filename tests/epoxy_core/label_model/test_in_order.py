import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.label_model.in_order import ChainInOrder, ItemOrder


def test_posteriors_belong_to_the_items_as_they_are_stored():
    draw = np.random.default_rng(0)
    truth = np.repeat(draw.integers(0, 2, 60), 20)
    sequences = np.repeat(np.arange(4), 300)
    wrong = draw.random((1200, 4)) < 0.3
    votes = np.where(wrong, 1 - truth[:, None], truth[:, None]).astype(np.int8)
    votes[draw.random(votes.shape) < 0.5] = -1
    votes[sequences == 3] = -1
    shuffle = draw.permutation(1200)
    order = ItemOrder(np.argsort(shuffle), sequences)
    stored = votes[shuffle]
    model = ChainInOrder(2, None, order).fit(stored)
    found = model.predict_proba(stored)
    np.testing.assert_allclose(found, model.chain_.predict_proba(votes, sequences)[shuffle])
    right = (found.argmax(axis=1) == truth[shuffle])[sequences[shuffle] < 3].mean()
    assert right > 0.9
    assert (order.with_votes(stored) == (sequences[shuffle] < 3)).all()


def test_which_items_follow_another():
    order = ItemOrder(np.array([3, 0, 2, 1, 4]), np.array([0, 0, 0, 2, 5]))
    assert order.follows.tolist() == [False, True, True, False, False]
    assert ItemOrder(np.zeros(0, int), np.zeros(0, int)).follows.tolist() == []


@given(data=st.data())
def test_of_neighbours_with_one_class_one_hand_label_stays(data):
    n = data.draw(st.integers(0, 40))
    gold = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)), np.int8)
    sequences = np.sort(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    rows = np.array(data.draw(st.permutations(range(n))), np.intp)
    kept = ItemOrder(rows, sequences.astype(np.int64)).one_per_stretch(gold)

    expected = []  # of each stretch: its sequence, its class, and the rows in it
    for row, sequence in zip(rows, sequences, strict=True):
        if gold[row] < 0:
            continue
        if not expected or expected[-1][:2] != (sequence, gold[row]):
            expected.append((sequence, gold[row], []))
        expected[-1][2].append(row)
    assert (kept >= 0).sum() == len(expected)
    for _, label, stretch in expected:
        (one,) = [row for row in stretch if kept[row] >= 0]
        assert kept[one] == label
        assert abs(stretch.index(one) - (len(stretch) - 1) / 2) <= 0.5
