import numpy as np

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
