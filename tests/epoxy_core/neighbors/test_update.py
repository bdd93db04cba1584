import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from searching import coarse, unit

from epoxy_core.neighbors import NeighborGraph, Scope, neighbor_graph, update, updated_graph


def assert_follows(before, after, old_row, k, **asked):
    """The updated graph is the one that a search of all items gives."""
    graph = updated_graph(neighbor_graph(before, k), old_row, after, k, **asked)
    fresh = neighbor_graph(after, k, asked.get("scope"))
    np.testing.assert_array_equal(graph.indices, fresh.indices)
    np.testing.assert_array_equal(graph.similarity, fresh.similarity)
    assert graph.recall == 1
    return graph


@given(coarse, st.integers(1, 4), st.data())
@settings(max_examples=100, deadline=None)
def test_small_graphs_of_ties_and_duplicates_follow(vectors, k, data):
    vectors = unit(vectors)
    stays = data.draw(hnp.arrays(bool, len(vectors)))
    joined = unit(data.draw(coarse))
    if joined.shape[1] != vectors.shape[1]:
        joined = vectors[:1]
    n = int(stays.sum()) + len(joined)
    place = np.sort(np.array(data.draw(st.permutations(range(n))), int)[: stays.sum()])
    old_row = np.full(n, -1)
    old_row[place] = np.flatnonzero(stays)
    after = np.empty((n, vectors.shape[1]), np.float32)
    after[old_row >= 0], after[old_row < 0] = vectors[stays], joined
    assert_follows(vectors, after, old_row, k)


@pytest.fixture
def only_few(monkeypatch):
    """Fail where a graph is made anew."""

    def anew(*args, **kwargs):
        raise AssertionError("made anew")

    monkeypatch.setattr(update, "neighbor_graph", anew)


@pytest.mark.parametrize("duplicates", [0, 1500])
def test_additions_deletions_and_changed_vectors(duplicates, only_few):
    draw = np.random.default_rng(duplicates)
    vectors = draw.normal(size=(4000, 32))
    vectors[draw.integers(4000, size=duplicates)] = vectors[draw.integers(40, size=duplicates)]
    before = unit(vectors)
    changed, gone = draw.permutation(4000)[:40], draw.permutation(4000)[:30]
    old_row = np.arange(4000)
    old_row[changed] = -1
    vectors[changed[::2]] = draw.normal(size=(20, 32))
    stays = np.setdiff1d(np.arange(4000), gone)
    old_row = np.insert(old_row[stays], [0, 500, 2000, len(stays)], -1)
    after = np.insert(vectors[stays], [0, 500, 2000, len(stays)], vectors[[3, 9, 9, 27]], axis=0)
    assert_follows(before, unit(after), old_row, 8)


def test_nothing_new(only_few):
    before = unit(np.random.default_rng(1).normal(size=(300, 8)))
    assert_follows(before, before, np.arange(300), 5)


@pytest.mark.parametrize(
    ("old_row", "asked"),
    [
        (np.where(np.arange(300) % 3, np.arange(300), -1), {}),
        (np.arange(300)[::-1], {}),
        (np.arange(300), {"scope": Scope(np.arange(300) % 7, "other_sequences")}),
        (np.arange(300), {"scope": Scope(np.arange(300) % 7, "same_sequence")}),
    ],
)
def test_starts_anew_where_little_is_left_of_it(old_row, asked):
    before = unit(np.random.default_rng(2).integers(-1, 2, size=(300, 4)))
    after = np.where(old_row[:, None] >= 0, before[old_row], before[::-1])
    assert_follows(before, after, old_row, 5, **asked)


def test_an_approximate_graph_is_measured_again_and_replaced_if_it_is_too_little():
    vectors = unit(np.random.default_rng(3).normal(size=(2000, 16)))
    true = neighbor_graph(vectors, 6)
    draw = np.random.default_rng(4)
    wrong = draw.random(true.indices.shape) < 0.1
    similarity = np.where(wrong, np.float32(-1), true.similarity)
    old_row = np.append(np.arange(1999), -1)
    held = updated_graph(
        NeighborGraph(true.indices, similarity, None, 0.9, "cells"),
        old_row,
        vectors,
        6,
        recall=0.85,
    )
    assert held.engine == "cells"
    assert 0.86 < held.recall < 0.94
    better = updated_graph(
        NeighborGraph(true.indices, similarity, None, 0.97, "cells"),
        old_row,
        vectors,
        6,
        recall=0.95,
    )
    assert better.recall == 1
    np.testing.assert_array_equal(better.indices, true.indices)
