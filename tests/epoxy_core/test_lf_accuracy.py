import numpy as np
import polars as pl
import pytest

from benchmarks.synthetic_votes import both_class, sample
from epoxy_core.combine import Reach, VoteMatrices, combine
from epoxy_core.label_model.dev_votes import dev_interval
from epoxy_core.lf_accuracy import lf_accuracy
from epoxy_core.lf_table import interval, with_estimates
from epoxy_core.task import Task

NAMES = [f"lf{i}" for i in range(10)]


@pytest.fixture(scope="module")
def made():
    """Votes, dev labels, and what is found of them."""
    task = Task.model_validate(
        {"name": "t", "source": {"paths": "t.csv"}, "classes": ["ham", "spam"]}
    )
    votes, truth = sample(both_class(2), 3000)
    votes[:, 1] = np.where(votes[:, 1] >= 0, 3 - votes[:, 1], -1)  # not the other
    votes[:, 9] = -1
    gold = np.where(np.arange(3000) < 400, truth, np.int8(-1)).astype(np.int8)
    similarity = np.where(votes >= 0, np.float32(1), np.float32(np.nan))
    reach = Reach(np.full(10, 0.9), np.zeros(10, np.bool_), 0.1)
    combined = combine(
        task, VoteMatrices(votes, votes, similarity, None, tuple(NAMES)), reach, gold
    )
    return votes, truth, gold, lf_accuracy(task, NAMES, votes, combined, gold)


def test_each_vote_has_its_estimate_beside_the_dev_figure(made):
    votes, truth, gold, found = made
    rows = {(row["lf"], row["class"]): row for row in found.by_vote.iter_rows(named=True)}
    assert {name for name, _ in rows} == set(NAMES[:9])
    assert [said for name, said in rows if name == "lf1"] == ["not ham", "not spam"]
    for (lf, said), cast, true in [
        (("lf0", "spam"), votes[:, 0] == 1, truth == 1),
        (("lf1", "not spam"), votes[:, 1] == 3, truth == 0),
    ]:
        row, dev = rows[lf, said], cast & (gold >= 0)
        assert row["n_votes"] == cast.sum()
        assert row["dev_votes"] == dev.sum()
        assert row["dev_accuracy"] == pytest.approx(true[dev].mean())
        ends = dev_interval(int(true[dev].sum()), int(dev.sum()))
        assert (row["dev_low"], row["dev_high"]) == pytest.approx(ends)
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["estimate"] == pytest.approx(true[cast].mean(), abs=0.1)


def test_an_lf_that_never_votes_has_none(made):
    *_, found = made
    assert found.by_lf.row(9) == ("lf9", None, None, None)
    known = found.by_lf.head(9)
    assert (
        known.filter(
            pl.col("estimated_accuracy").is_between("accuracy_low", "accuracy_high")
        ).height
        == 9
    )


def test_the_lf_table_takes_new_estimates(made):
    *_, found = made
    table = pl.DataFrame({"lf": ["lf3", "new"], "estimated_accuracy": [0.1, 0.2], "votes": [1, 2]})
    mixed = with_estimates(table, found.by_lf)
    assert mixed["estimated_accuracy"].to_list() == [found.by_lf["estimated_accuracy"][3], None]
    assert mixed["votes"].to_list() == [1, 2]


def test_an_interval_is_short():
    assert interval(0.614, 0.996) == " 61–100"
    assert interval(None, None) == ""
