import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import (
    DawidSkene,
    MajorityVote,
    Triplets,
    hard_labels,
    make_label_model,
    validate_votes,
    vote_patterns,
)


@given(
    hnp.arrays(
        np.int8,
        st.tuples(st.integers(0, 30), st.integers(0, 90)),
        elements=st.sampled_from([-1, -1, -1, 0, 1, 5, 126]),
    )
)
@settings(max_examples=150, deadline=None)
def test_patterns_are_the_unique_rows_in_lexical_order(votes):
    found = vote_patterns(votes)
    np.testing.assert_array_equal(found.patterns[found.inverse], votes)
    assert found.inverse.shape == (len(votes),)
    rows = [tuple(row) for row in votes.tolist()]
    distinct = sorted(set(rows))
    assert [tuple(row) for row in found.patterns.tolist()] == distinct
    assert found.counts.tolist() == [rows.count(row) for row in distinct]


def test_a_vote_that_is_no_class_is_named():
    with pytest.raises(EpoxyError, match="vote 3") as raised:
        validate_votes(np.array([[0, -1], [2, 3]]), 3)
    assert raised.value.where == "vote matrix row 1, labeling function 1"
    with pytest.raises(EpoxyError, match="vote -2"):
        validate_votes(np.array([[-2]]), 3)
    with pytest.raises(EpoxyError, match="dimensions"):
        validate_votes(np.array([0, 1]), 3)


def test_hard_labels_give_ties_to_the_lowest_class():
    assert hard_labels(np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0]])).tolist() == [1, 0]


def test_models_by_name():
    assert isinstance(make_label_model("majority_vote", 2), MajorityVote)
    assert isinstance(make_label_model("triplets", 2), Triplets)
    assert isinstance(make_label_model("dawid_skene", 3, [0.2, 0.3, 0.5]), DawidSkene)
    with pytest.raises(EpoxyError, match="snorkel"):
        make_label_model("snorkel", 2)
    with pytest.raises(EpoxyError, match="Name at least two"):
        make_label_model("triplets", 1)
    for balance in ([0.5, 0.6], [1.0, 0.0], [1.0], [0.5, np.nan]):
        with pytest.raises(EpoxyError, match="class_balance"):
            make_label_model("triplets", 2, balance)
