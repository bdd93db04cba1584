import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.label_model import patterns, vote_patterns
from epoxy_core.label_model.patterns import RowCodes
from epoxy_core.label_model.unique_votes import unique_columns, unique_votes

votes_of_classes = hnp.arrays(
    np.int8,
    st.tuples(st.integers(1, 25), st.integers(1, 30)),
    elements=st.sampled_from([-1, -1, 0, 1, 2, 3]),
)


def columns_of(votes):
    return list(np.ascontiguousarray(votes.T))


@given(votes_of_classes, st.data(), st.sampled_from([1 << 20, 60]))
@settings(max_examples=150, deadline=None)
def test_edited_columns_are_as_if_new(votes, data, most):
    columns = columns_of(votes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "_MOST_CODES", most)  # 60: a hash table counts
        codes = RowCodes()
        codes.patterns(columns, 5)
        for _ in range(3):
            lf = data.draw(st.integers(0, len(columns) - 1))
            edit = hnp.arrays(np.int8, len(votes), elements=st.integers(-1, 3))
            columns = [*columns[:lf], data.draw(edit), *columns[lf + 1 :]]
            found = codes.patterns(columns, 5)
            rows = np.stack(columns, axis=1)
            known, inverse, counts = np.unique(
                rows, axis=0, return_inverse=True, return_counts=True
            )
            np.testing.assert_array_equal(found.patterns, known)
            np.testing.assert_array_equal(found.inverse, inverse.ravel())
            np.testing.assert_array_equal(found.counts, counts)
            assert found.patterns.flags.c_contiguous


def test_other_columns_start_anew():
    draw, codes = np.random.default_rng(0), RowCodes()
    for shape, base in (((40, 3), 5), ((40, 4), 5), ((7, 4), 5), ((7, 4), 9), ((7, 2), 6)):
        votes = draw.integers(-1, 4, shape).astype(np.int8)
        found = codes.patterns(columns_of(votes), base)
        np.testing.assert_array_equal(found.patterns[found.inverse], votes)


def test_many_distinct_rows_by_a_hash_table_that_grows():
    votes = np.random.default_rng(1).integers(-1, 4, (20_000, 14)).astype(np.int8)
    found = vote_patterns(votes)
    known, counts = np.unique(votes, axis=0, return_counts=True)
    np.testing.assert_array_equal(found.patterns, known)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_array_equal(found.patterns[found.inverse], votes)


def test_by_column_it_is_as_by_row_with_probabilities_too():
    draw = np.random.default_rng(2)
    votes = draw.integers(-1, 4, (500, 4)).astype(np.int8)
    strength = np.where(votes >= 0, draw.choice([0.5, 0.75, 1], (500, 4)), 1).astype(np.float32)
    strength[:, 1] = 1
    claims = columns_of(strength)
    for by_lf in (claims, [claims[0], None, *claims[2:]]):
        found = unique_columns(columns_of(votes), by_lf, 2)
        expected = unique_votes(votes, strength, 2)
        for name in ("patterns", "strength", "inverse", "counts"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert unique_columns(columns_of(votes), [None] * 4, 2).strength is None
