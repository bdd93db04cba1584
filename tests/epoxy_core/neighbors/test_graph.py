import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import KINDS, coarse, may_lend, on_grid, scopes, unit

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors import Scope, neighbor_graph
from epoxy_core.neighbors.formats import BFLOAT16

EXACT = ("float32", "bfloat16")


def by_search(embeddings, k, scope):
    """The allowed items of each row by similarity, then by row; as many columns as are needed."""
    similarity = on_grid(embeddings)
    n = len(similarity)
    allowed = may_lend(scope, n) & ~np.eye(n, dtype=bool)
    rows = [
        sorted(np.flatnonzero(allowed[row]), key=lambda other: (-own[other], other))[:k]
        for row, own in enumerate(similarity)
    ]
    width = max(min(1, n - 1), *(len(row) for row in rows), 0)
    indices = np.full((n, width), -1)
    found = np.full((n, width), -np.inf)
    for row, others in enumerate(rows):
        indices[row, : len(others)] = others
        found[row, : len(others)] = similarity[row, others]
    return indices, found


def assert_is_by_search(embeddings, k, scope=None, engine=None):
    graph = neighbor_graph(embeddings, k, scope, engine=engine)
    indices, similarity = by_search(embeddings, k, scope)
    assert graph.indices.dtype == np.int32
    assert graph.similarity.dtype == np.float32
    assert graph.scope is scope
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_array_equal(graph.similarity, similarity)
    nearest = [row[0] for row in similarity if row.size and row[0] > -np.inf]
    np.testing.assert_array_equal(graph.nearest, nearest)


@given(coarse, st.integers(1, 16), st.data())
@settings(max_examples=400, deadline=None)
def test_graph_equals_brute_force_with_ties_duplicates_and_zero_vectors(vectors, k, data):
    assert_is_by_search(unit(vectors), k, data.draw(scopes(len(vectors))))


@pytest.mark.parametrize(("n", "k"), [(300, 5), (2500, 32)])
def test_graph_equals_brute_force_on_random_vectors(n, k):
    assert_is_by_search(unit(np.random.default_rng(n).normal(size=(n, 24))), k)


@pytest.mark.parametrize("kind", KINDS)
def test_graph_within_and_across_sequences_equals_brute_force(kind):
    draw = np.random.default_rng(4)
    vectors = draw.normal(size=(900, 12))
    vectors[draw.integers(900, size=300)] = vectors[draw.integers(900, size=300)]
    # One long sequence, one that ends up with fewer than k others, and an item of its own.
    sequences = np.where(draw.random(900) < 0.7, 0, draw.integers(1, 40, 900))
    sequences[17] = 99
    scope = Scope(draw.permutation(120)[sequences].astype(np.int64), kind)
    assert_is_by_search(unit(vectors), 24, scope)


@pytest.mark.parametrize("kind", ["same_sequence", "other_sequences"])
def test_items_from_whom_nobody_may_borrow_have_no_neighbours(kind):
    alone = np.arange(5) if kind == "same_sequence" else np.zeros(5)
    graph = neighbor_graph(np.eye(5, dtype=np.float32), 3, Scope(alone.astype(np.int64), kind))
    assert graph.indices.tolist() == [[-1]] * 5
    assert graph.similarity.tolist() == [[-np.inf]] * 5
    assert graph.nearest.size == 0


def test_duplicates_across_the_kth_place_go_to_the_lowest_rows():
    vectors = np.random.default_rng(0).normal(size=(400, 16))
    vectors[np.random.default_rng(1).permutation(400)[:150]] = vectors[7]
    assert_is_by_search(unit(vectors), 10)


def test_near_duplicates_across_the_kth_place():
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(1, 64)) + 1e-4 * generator.normal(size=(2000, 64))
    assert_is_by_search(unit(vectors), 8)


@pytest.mark.parametrize("engine", EXACT)
def test_several_threads_and_tiles_agree_with_brute_force(engine, monkeypatch):
    from epoxy_core.neighbors.candidates import all_pairs

    monkeypatch.setattr(all_pairs, "_SIDE", 70)
    monkeypatch.setattr(all_pairs, "_WORTH_A_THREAD", 200)
    monkeypatch.setattr(all_pairs, "thread_count", lambda: 3)
    embeddings = unit(np.random.default_rng(3).integers(-1, 2, size=(700, 6)))
    assert_is_by_search(embeddings, 12, engine=engine)
    assert_is_by_search(embeddings, 12, Scope(np.arange(700) % 5, "other_sequences"), engine)


@pytest.mark.parametrize("engine", EXACT)
@given(coarse, st.integers(1, 16), st.data())
@settings(max_examples=100, deadline=None)
def test_exact_engines_equal_brute_force(engine, vectors, k, data):
    assert_is_by_search(unit(vectors), k, data.draw(scopes(len(vectors))), engine)


@pytest.mark.parametrize("engine", EXACT)
def test_exact_engines_on_duplicates_near_duplicates_and_zeros(engine):
    draw = np.random.default_rng(5)
    vectors = draw.normal(size=(900, 48))
    vectors[:200] = vectors[200] + 1e-4 * draw.normal(size=(200, 48))
    vectors[draw.integers(900, size=250)] = vectors[7]
    vectors[draw.integers(900, size=150)] = 0
    assert_is_by_search(unit(vectors), 20, engine=engine)


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_one_item_and_none(kind):
    for n in (0, 1):
        scope = None if kind is None else Scope(np.zeros(n, np.int64), kind)
        graph = neighbor_graph(np.ones((n, 1), dtype=np.float32), 4, scope)
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


def test_vectors_made_to_mislead_bfloat16():
    """Rounding draws true neighbours away and decoys near: only the proof can tell."""
    draw, half = np.random.default_rng(0), np.repeat([1.0, -1.0], 128)
    query = np.full(256, 1 / 16)
    near = [query * (1 + 0.49 / 128 * draw.permutation(half)) for _ in range(8)]  # rounded down
    aside = unit(draw.normal(size=(300, 256)) - query)
    decoys = [
        query * (1 + 0.51 / 128 * draw.permutation(half)) + 0.04 * away for away in aside
    ]  # rounded up
    embeddings = unit(np.vstack([query, near, decoys, draw.normal(size=(900, 256))]))
    bits = BFLOAT16.encode(embeddings).astype(np.uint32) << 16
    rounded = bits.view(np.float32) @ bits[0].view(np.float32)
    assert np.sort(rounded[9:309])[-29:].min() > rounded[1:9].max()
    graph = neighbor_graph(embeddings, 5, engine="bfloat16")
    assert set(graph.indices[0]) <= set(range(1, 9))
    np.testing.assert_array_equal(graph.indices, neighbor_graph(embeddings, 5).indices)
