import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import lf_summary, summary

K = 3
CLASSES = ["a", "b", "c"]
SYMBOLS = [*CLASSES, "not a", "not b", "not c"]
Votes = npt.NDArray[np.int8]


def true(vote: int) -> set[int]:
    """Classes of which the vote is true."""
    return {int(vote)} if vote < K else set(range(K)) - {int(vote) - K}


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Votes, Votes]:
    n, m = draw(st.integers(0, 7)), draw(st.integers(0, 4))
    last = draw(st.sampled_from([K - 1, 2 * K - 1]))
    votes = draw(hnp.arrays(np.int8, (n, m), elements=st.integers(-1, last)))
    return votes, draw(hnp.arrays(np.int8, n, elements=st.integers(-1, K - 1)))


@given(matrices(), st.booleans(), st.sampled_from([2, 1 << 16]))
def test_lf_summary_equals_loops(drawn: tuple[Votes, Votes], with_gold: bool, rows: int) -> None:
    votes, gold = drawn
    n, m = votes.shape
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "_ROWS", rows)
        found = lf_summary(
            votes, [f"lf{j}" for j in range(m)], CLASSES, gold if with_gold else None
        )
    assert found.height == m
    for j, row in enumerate(found.iter_rows(named=True)):
        mine = [i for i in range(n) if votes[i, j] >= 0]
        others = {i: [votes[i, h] for h in range(m) if h != j and votes[i, h] >= 0] for i in mine}
        assert row["lf"] == f"lf{j}"
        assert row["polarity"] == [SYMBOLS[k] for k in sorted({votes[i, j] for i in mine})]
        assert row["n_votes"] == len(mine)
        size = max(n, 1)
        assert row["coverage"] == pytest.approx(len(mine) / size)
        assert row["overlaps"] == pytest.approx(sum(bool(others[i]) for i in mine) / size)
        clash = sum(any(not true(v) & true(votes[i, j]) for v in others[i]) for i in mine)
        assert row["conflicts"] == pytest.approx(clash / size)
        known = [i for i in mine if with_gold and gold[i] >= 0]
        right = sum(gold[i] in true(votes[i, j]) for i in known)
        assert (row["dev_votes"], row["dev_correct"]) == (len(known), right)
        assert row["dev_accuracy"] == (pytest.approx(right / len(known)) if known else None)


def test_types_stay_the_same_without_rows() -> None:
    full = lf_summary(np.zeros((2, 1), np.int8), ["x"], CLASSES)
    assert lf_summary(np.zeros((0, 0), np.int8), [], CLASSES).schema == full.schema
    assert full.schema["polarity"] == pl.List(pl.String)


@pytest.mark.parametrize(
    ("votes", "names", "gold", "problem"),
    [
        (np.zeros(3, np.int8), ["x"], None, "shapes"),
        (np.zeros((3, 1), np.int8), ["x", "y"], None, "2 names for 1"),
        (np.zeros((3, 1), np.int8), ["x"], np.zeros(2, np.int8), "shapes"),
        (np.full((3, 1), 6, np.int8), ["x"], None, "6 for 3 classes"),
        (np.full((3, 1), -2, np.int8), ["x"], None, "from -2"),
        (np.zeros((3, 1), np.int8), ["x"], np.full(3, 5, np.int8), "gold"),
    ],
)
def test_bad_input(votes: Votes, names: list[str], gold: Votes | None, problem: str) -> None:
    with pytest.raises(EpoxyError, match=problem):
        lf_summary(votes, names, CLASSES, gold)
