import numpy as np
import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.item_order import item_order
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
