import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from searching import KINDS, may_lend, on_grid, scopes, unit

from epoxy_core.extension import dev_threshold, extend_again, extend_some, extend_votes
from epoxy_core.neighbors import NeighborGraph, Scope, neighbor_graph


def by_search(votes, embeddings, threshold, scope):
    similarity, lends = on_grid(embeddings), may_lend(scope, len(votes))
    support = [row for row in range(len(votes)) if votes[row] >= 0]
    rows = []
    for row in range(len(votes)):
        if votes[row] >= 0:
            rows.append((votes[row], row, 1.0))
            continue
        near = [
            other for other in support if lends[row, other] and similarity[row, other] >= threshold
        ]
        if not near:
            rows.append((-1, -1, np.nan))
            continue
        best = min(near, key=lambda other: (-similarity[row, other], other))
        rows.append((votes[best], best, similarity[row, best]))
    return [np.array(column) for column in zip(*rows, strict=True)]


def assert_is_by_search(votes, embeddings, k, threshold, scope=None):
    graph = neighbor_graph(embeddings, k, scope)
    extended = extend_votes(votes, graph, embeddings, threshold)
    expected = by_search(votes, embeddings, threshold, scope)
    assert extended.votes.dtype == np.int8
    assert extended.source.dtype == np.int32
    assert extended.similarity.dtype == np.float32
    np.testing.assert_array_equal(extended.votes, expected[0])
    np.testing.assert_array_equal(extended.source, expected[1])
    np.testing.assert_array_equal(extended.similarity, expected[2].astype(np.float32))


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_equals_exhaustive_search(data):
    n = data.draw(st.integers(1, 14))
    vectors = data.draw(
        hnp.arrays(np.float32, (n, data.draw(st.integers(1, 3))), elements=st.integers(-1, 2))
    )
    votes = data.draw(hnp.arrays(np.int8, n, elements=st.integers(-1, 2)))
    threshold = data.draw(st.sampled_from([-1.0, 0.0, 0.5, 2**-0.5, 0.8, 1.0]))
    k, scope = data.draw(st.integers(1, 16)), data.draw(scopes(n))
    assert_is_by_search(votes, unit(vectors), k, threshold, scope)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_exhaustive_search_on_larger_sets_with_duplicates(kind):
    generator = np.random.default_rng(0)
    scope = Scope(generator.integers(0, 9, 600), kind)
    vectors = generator.normal(size=(600, 8))
    vectors[generator.integers(600, size=200)] = vectors[generator.integers(600, size=200)]
    embeddings = unit(vectors)
    for coverage in (0.0, 0.003, 0.1, 0.9, 1.0):
        votes = np.where(generator.random(600) < coverage, generator.integers(0, 4, 600), -1)
        for threshold in (-1.0, 0.4, 0.8, 1.0):
            assert_is_by_search(votes.astype(np.int8), embeddings, 6, threshold, scope)


def test_a_borrowed_vote_has_the_probability_of_its_source():
    generator = np.random.default_rng(3)
    embeddings = unit(generator.normal(size=(300, 6)))
    votes = np.where(generator.random(300) < 0.2, generator.integers(0, 8, 300), -1).astype(np.int8)
    strength = generator.random(300).astype(np.float32)
    graph = neighbor_graph(embeddings, 5)
    found = extend_votes(votes, graph, embeddings, 0.5, strength=strength)
    plain = extend_votes(votes, graph, embeddings, 0.5)
    np.testing.assert_array_equal(found.votes, plain.votes)
    assert plain.strength is None
    assert found.strength is not None
    for row, source in enumerate(found.source):
        assert found.strength[row] == (1 if source < 0 else strength[source])
    edited = np.where(generator.random(300) < 0.1, -1, votes).astype(np.int8)
    other = generator.random(300).astype(np.float32)
    again = extend_again(found, edited, graph, embeddings, 0.5, strength=other)
    anew = extend_votes(edited, graph, embeddings, 0.5, strength=other)
    np.testing.assert_array_equal(again.strength, anew.strength)


def test_from_beyond_the_neighbours_it_may_borrow_only_what_is_near():
    generator = np.random.default_rng(2)
    embeddings = unit(generator.normal(size=(400, 6)))
    votes = np.where(generator.random(400) < 0.03, 1, -1).astype(np.int8)
    graph = neighbor_graph(embeddings, 4)
    whole = extend_votes(votes, graph, embeddings, 0.1)
    ended = extend_votes(votes, graph, embeddings, 0.1, search_from=0.8)
    among = (whole.source[:, None] == graph.indices).any(axis=1)
    kept = (votes >= 0) | among | (whole.similarity >= 0.8)
    assert (whole.source >= 0)[~kept].any()
    assert (kept & ~among & (votes < 0)).any()
    np.testing.assert_array_equal(ended.source, np.where(kept, whole.source, -1))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_beyond_the_neighbours_it_is_exhaustive_search_from_there_on(data):
    n = data.draw(st.integers(1, 14))
    vectors = data.draw(
        hnp.arrays(np.float32, (n, data.draw(st.integers(1, 3))), elements=st.integers(-1, 2))
    )
    votes = data.draw(hnp.arrays(np.int8, n, elements=st.integers(-1, 2)))
    threshold = data.draw(st.sampled_from([-1.0, 0.0, 0.5, 1.0]))
    search_from = data.draw(st.sampled_from([-1.0, 0.0, 0.6, 0.9, 1.0]))
    embeddings, scope = unit(vectors), data.draw(scopes(n))
    graph = neighbor_graph(embeddings, data.draw(st.integers(1, 16)), scope)
    found = extend_votes(votes, graph, embeddings, threshold, search_from)
    _, source, similarity = by_search(votes, embeddings, threshold, scope)
    own = source == np.arange(n)
    among = (source[:, None] == graph.indices).any(axis=1)
    kept = (source >= 0) & (own | among | (similarity >= search_from))
    np.testing.assert_array_equal(found.source, np.where(kept, source, -1))


def test_arrays_that_are_mapped_and_cannot_be_written(tmp_path):
    draw = np.random.default_rng(4)
    embeddings = unit(draw.normal(size=(300, 6)))
    graph = neighbor_graph(embeddings, 5)
    mapped = []
    for name, array in (("v", embeddings), ("i", graph.indices), ("s", graph.similarity)):
        np.save(tmp_path / f"{name}.npy", array)
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    votes = np.where(draw.random(300) < 0.1, 1, -1).astype(np.int8)
    of_file = extend_votes(votes, NeighborGraph(mapped[1], mapped[2]), mapped[0], 0.2)
    in_memory = extend_votes(votes, graph, embeddings, 0.2)
    np.testing.assert_array_equal(of_file.source, in_memory.source)
    assert (of_file.source >= 0).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_few_items_are_extended_as_all_are(kind):
    draw = np.random.default_rng(5)
    gold = draw.integers(0, 3, 500)
    embeddings = unit(np.eye(3, 7)[gold] + draw.normal(0, 0.3, (500, 7)))
    votes = np.where(draw.random(500) < 0.1, gold + 3 * (draw.random(500) < 0.2), -1)
    votes, scope = votes.astype(np.int8), Scope(draw.integers(0, 5, 500), kind)
    graph = neighbor_graph(embeddings, 4, scope)
    rows = np.flatnonzero(draw.random(500) < 0.2)
    few = extend_some(rows, votes, graph, embeddings, 0.6)
    every = extend_votes(votes, graph, embeddings, 0.6)
    asked = np.isin(np.arange(500), rows) | (votes >= 0)
    for name, nothing in (("votes", -1), ("source", -1), ("similarity", np.nan)):
        expected = np.where(asked, getattr(every, name), nothing)
        np.testing.assert_array_equal(getattr(few, name), expected)
    known = np.where(asked & np.isin(np.arange(500), rows), gold, -1)
    assert dev_threshold(few, known, 3) == dev_threshold(every, known, 3) < 1
