import numpy as np
import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.item_order import item_order
from epoxy_core.label_model.in_order import ChainInOrder, ItemOrder, order_choice
from epoxy_core.task import Task

ITEMS = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d", "e"],
        "film": ["y", "x", "y", "x", "y"],
        "frame": ["10", "2", "9", "1", "9"],
        "note": ["u", None, "t", "s", "r"],
    }
)


def task(**sequence):
    return Task.model_validate(
        {
            "name": "films",
            "source": {"paths": "films.csv"},
            "classes": ["cat", "dog"],
            "label_model": {"sequence": sequence or None},
        }
    )


def test_numbers_as_text_are_numbers_and_ties_keep_their_order():
    found = item_order(task(by="film", order="frame"), ITEMS)
    assert ITEMS["item_id"].gather(found.rows).to_list() == ["d", "b", "c", "e", "a"]
    assert (np.diff(found.sequences) == [0, 1, 0, 0]).all()
    by_text = ITEMS.with_columns(frame=pl.Series(["x10", "x2", "x9", "x1", "x9"]))
    found = item_order(task(by="film", order="frame"), by_text)
    assert ITEMS["item_id"].gather(found.rows).to_list() == ["d", "b", "a", "c", "e"]
    assert item_order(task(), ITEMS) is None


def test_a_column_that_is_not_there_or_has_gaps():
    with pytest.raises(EpoxyError, match=r"no column 'reel'[\s\S]*item_id, film, frame"):
        item_order(task(by="reel", order="frame"), ITEMS)
    with pytest.raises(EpoxyError, match="1 items have no 'note', first b"):
        item_order(task(by="film", order="note"), ITEMS)


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
    static = np.stack([(stored == 0).sum(axis=1), (stored == 1).sum(axis=1)], axis=1) + 0.5
    assert right > 0.9
    assert (order.with_votes(stored) == (sequences[shuffle] < 3)).all()
    assert model.gain_ > 0

    voted, nothing = (stored >= 0).any(axis=1), np.full(1200, -1, np.int8)
    choice = order_choice(model.gain_, found, static, voted, nothing)
    assert choice.scores["chain"] > choice.scores["without order"] == 0
    assert not choice.warning
    choice = order_choice(model.gain_, found, static, voted, truth[shuffle].astype(np.int8))
    assert choice.measure == "dev accuracy"
    assert choice.scores["chain"] > choice.scores["without order"] > 0.5
    mixed = ItemOrder(draw.permutation(1200), sequences)
    assert ChainInOrder(2, None, mixed).fit(stored).gain_ < model.gain_
