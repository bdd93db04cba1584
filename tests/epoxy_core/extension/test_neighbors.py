import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.errors import EpoxyError
from epoxy_core.extension import nearest_in, neighbor_graph

# Few small integers make duplicates, exact ties, opposite and zero vectors likely.
coarse = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 14), st.integers(1, 3)), elements=st.integers(-1, 2)
)


def unit(vectors):
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def on_grid(embeddings):
    wide = embeddings.astype(np.float64)
    return np.rint(wide @ wide.T * 2**20) / 2**20


def by_search(embeddings, k):
    similarity = on_grid(embeddings)
    rows = []
    for row, own in enumerate(similarity):
        others = [other for other in range(len(own)) if other != row]
        rows.append(sorted(others, key=lambda other: (-own[other], other))[:k])
    indices = np.array(rows, dtype=np.int64).reshape(len(rows), -1)
    return indices, np.take_along_axis(similarity, indices, axis=1)


def assert_is_by_search(embeddings, k):
    graph = neighbor_graph(embeddings, k)
    indices, similarity = by_search(embeddings, k)
    assert graph.indices.dtype == np.int32
    assert graph.similarity.dtype == np.float32
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_array_equal(graph.similarity, similarity)


@given(coarse, st.integers(1, 16))
@settings(max_examples=200, deadline=None)
def test_graph_equals_brute_force_with_ties_duplicates_and_zero_vectors(vectors, k):
    assert_is_by_search(unit(vectors), k)


@pytest.mark.parametrize(("n", "k"), [(300, 5), (2500, 32)])
def test_graph_equals_brute_force_on_random_vectors(n, k):
    assert_is_by_search(unit(np.random.default_rng(n).normal(size=(n, 24))), k)


def test_duplicates_across_the_kth_place_go_to_the_lowest_rows():
    vectors = np.random.default_rng(0).normal(size=(400, 16))
    vectors[np.random.default_rng(1).permutation(400)[:150]] = vectors[7]
    assert_is_by_search(unit(vectors), 10)


def test_near_duplicates_across_the_kth_place():
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(1, 64)) + 1e-4 * generator.normal(size=(2000, 64))
    assert_is_by_search(unit(vectors), 8)


def test_several_blocks_agree_with_brute_force(monkeypatch):
    from epoxy_core.extension import neighbors

    monkeypatch.setattr(neighbors, "_BUFFER", 1)
    assert_is_by_search(unit(np.random.default_rng(3).integers(-1, 2, size=(700, 6))), 12)


def test_one_item_and_none():
    for n in (0, 1):
        graph = neighbor_graph(np.ones((n, 1), dtype=np.float32), 4)
        assert graph.indices.shape == graph.similarity.shape == (n, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_named(value):
    embeddings = unit(np.eye(4))
    embeddings[2, 1] = value
    with pytest.raises(EpoxyError, match="row 2"):
        neighbor_graph(embeddings, 2)


def test_a_vector_that_is_not_of_unit_length_is_named():
    embeddings = np.eye(4, dtype=np.float32)
    embeddings[3] *= 2
    with pytest.raises(EpoxyError, match=r"row 3.*length 2"):
        neighbor_graph(embeddings, 2)
    with pytest.raises(EpoxyError, match="dimensions"):
        neighbor_graph(np.ones(3, dtype=np.float32), 2)
    with pytest.raises(EpoxyError, match="0 neighbours"):
        neighbor_graph(np.eye(4, dtype=np.float32), 0)


@given(coarse, st.data())
@settings(max_examples=150, deadline=None)
def test_nearest_equals_brute_force(vectors, data):
    embeddings = unit(vectors)
    rows = st.lists(st.integers(0, len(embeddings) - 1), max_size=8)
    queries, support = np.array(data.draw(rows), int), np.array(data.draw(rows), int)
    found = nearest_in(embeddings, queries, support)
    similarity = on_grid(embeddings)
    for place, query in enumerate(queries):
        if len(support) == 0:
            assert found.index[place] == -1
            assert np.isnan(found.similarity[place])
            continue
        best = min(support, key=lambda row: (-similarity[query, row], row))
        assert found.index[place] == best
        assert found.similarity[place] == np.float32(similarity[query, best])


def test_nearest_in_parts_of_the_support_is_the_same(monkeypatch):
    from epoxy_core.extension import neighbors

    embeddings = unit(np.random.default_rng(5).integers(-1, 2, size=(400, 5)))
    queries, support = np.arange(0, 400, 3), np.arange(1, 400, 2)[::-1]
    whole = nearest_in(embeddings, queries, support)
    monkeypatch.setattr(neighbors, "_SUPPORT_AT_ONCE", 17)
    monkeypatch.setattr(neighbors, "_BUFFER", 50)
    parts = nearest_in(embeddings, queries, support)
    np.testing.assert_array_equal(whole.index, parts.index)
    np.testing.assert_array_equal(whole.similarity, parts.similarity)
