"""``extension.weighting: propagated``: borrowing items take their label from the graph."""

import numpy as np
from support import FOLLOWING, bring_up_to_date, edit, ran

from epoxy_core.storage.database import Database

LABELS = """
    SELECT l.item_id, l.votes, p.probabilities FROM labels l
    JOIN predictions p ON p.item_id = l.item_id AND p.stage = 'extended_votes' ORDER BY l.item_id
"""


def test_only_items_that_borrow_are_labelled_otherwise(finished):
    folder, home = finished
    database = Database(home.database("messages"))
    edit(folder / "helpers.py", "len(word) > 4", 'word[-1] in "012"')
    edit(folder / "task.yaml", "neighbors: 8", "neighbors: 8\n  threshold: 0.3")
    assert not bring_up_to_date(folder, home).failures
    before = database.query(LABELS)
    edit(folder / "task.yaml", "threshold: 0.3", "threshold: 0.3\n  weighting: propagated")
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    assert "label_model" in ran(done) <= FOLLOWING
    after = database.query(LABELS)
    assert after.select("item_id", "votes").equals(before.select("item_id", "votes"))
    old, new = (np.array(rows["probabilities"].to_list()) for rows in (before, after))
    moved = (old != new).any(axis=1)
    borrowed = (before["votes"] == "borrowed").to_numpy()
    assert (moved <= borrowed).all()
    assert moved[borrowed].mean() > 0.4  # the rest are among alike messages without any vote
    assert ran(bring_up_to_date(folder, home)) == set()
