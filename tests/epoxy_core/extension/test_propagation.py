import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epoxy_core.extension import propagate
from epoxy_core.label_model import hard_labels
from epoxy_core.neighbors import NeighborGraph, neighbor_graph


def graph_of(indices, similarity):
    return NeighborGraph(np.array(indices, np.int32), np.array(similarity, np.float32))


def by_loops(start, covered, graph, strength, sweeps, k):
    """The definition, item by item, with a dense matrix and a walk to the covered items."""
    n = len(start)
    rows = []
    for indices, similarity in zip(graph.indices[:, :k], graph.similarity[:, :k], strict=True):
        kept = indices >= 0
        rows.append((indices[kept], similarity[kept].astype(float)))
    spreads = [row[0] - row[-1] for _, row in rows if len(row)]
    h = max(np.median(spreads) if spreads else 0, 2.0**-20)
    w = np.zeros((n, n))
    for i, (indices, row) in enumerate(rows):
        e = np.exp((row - row.max(initial=-9)) / h)
        for j, weight in zip(indices, e / e.sum(), strict=True):
            w[i, j] = weight
    f = start.copy()
    for _ in range(sweeps):
        new = np.empty_like(f)
        for i in range(n):
            mean = sum(w[i, j] * f[j] for j in range(n)) if w[i].any() else f[i]
            new[i] = (1 - strength) * start[i] + strength * mean if covered[i] else mean
            new[i] /= new[i].sum()
        f = new
    for i in range(n):
        seen, front = {i}, {i}
        for _ in range(sweeps):
            front = {j for near in front for j in range(n) if w[near, j] > 0}
            seen |= front
        if not any(covered[j] for j in seen):
            f[i] = start[i]
    return f


@st.composite
def problems(draw):
    n, k = draw(st.integers(2, 12)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_classes = draw(st.sampled_from([2, 3]))
    width = min(k, n - 1)
    indices = [rng.permutation(np.delete(np.arange(n), i))[:width] for i in range(n)]
    # Few distinct similarities, so that ties and graphs without any spread come up.
    similarity = -np.sort(-rng.integers(0, draw(st.integers(1, 4)), (n, width)) / 4, axis=1)
    if draw(st.booleans()):  # some have fewer neighbours, or none
        nobody = np.arange(width) >= rng.integers(0, width + 1, n)[:, None]
        indices, similarity = np.where(nobody, -1, indices), np.where(nobody, -np.inf, similarity)
    start = rng.dirichlet(np.ones(n_classes), n)
    covered = rng.random(n) < draw(st.sampled_from([0, 0.1, 0.4, 1]))
    return start, covered, graph_of(indices, similarity)


@given(problems(), st.sampled_from([0, 0.5, 0.8]), st.integers(0, 6), st.integers(1, 7))
@settings(max_examples=250, deadline=None)
def test_is_what_the_definition_gives(problem, strength, sweeps, k):
    start, covered, graph = problem
    found = propagate(start, covered, graph, strength=strength, sweeps=sweeps, neighbors=k)
    assert found.dtype == np.float64
    expected = by_loops(start, covered, graph, strength, sweeps, k)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


def test_three_clouds_take_their_own_class_from_few_covered_items():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 600)
    vectors = np.eye(3, 24)[gold] + rng.normal(0, 0.12, (600, 24))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    covered = rng.random(600) < 0.15
    said = np.where(rng.random(600) < 0.75, gold, (gold + 1) % 3)
    start = np.full((600, 3), 1 / 3)
    start[covered] = 0.1 + 0.7 * np.eye(3)[said[covered]]
    before = start.copy()
    graph = neighbor_graph(vectors, 24)
    found = propagate(start, covered, graph)
    np.testing.assert_array_equal(start, before)
    assert (hard_labels(found) == gold)[~covered].mean() > 0.95
    assert found.tobytes() == propagate(start, covered, graph).tobytes()


def test_items_out_of_reach_keep_their_start():
    # 0 ← 1 ← 2 look towards the covered item; 3 and 4 look at each other alone.
    graph = graph_of([[1], [0], [1], [4], [3]], [[0.9]] * 5)
    start = np.array([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.3, 0.7], [0.6, 0.4]])
    covered = np.array([True, False, False, False, False])
    found = propagate(start, covered, graph)
    np.testing.assert_array_equal(found[3:], start[3:])
    assert (found[1:3, 0] > 0.7).all()
    once = propagate(start, covered, graph, sweeps=1)
    np.testing.assert_array_equal(once[2], start[2])
    np.testing.assert_allclose(once[1], start[0])
    nothing = propagate(start, np.zeros(5, np.bool_), graph)
    np.testing.assert_array_equal(nothing, start)


def test_without_neighbours_nothing_moves():
    start = np.array([[0.2, 0.8]])
    found = propagate(start, np.array([True]), graph_of(np.empty((1, 0)), np.empty((1, 0))))
    np.testing.assert_array_equal(found, start)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_ties_share_and_only_a_spread_makes_the_nearer_one_count_more(spread):
    graph = graph_of([[1, 2], [2, 0], [1, 0]], [[0.8, 0.8 - spread]] * 3)
    start = np.array([[0.5, 0.5], [1, 0], [0, 1]])
    found = propagate(start, np.array([False, True, True]), graph, strength=0, sweeps=3)
    assert found[0, 0] == pytest.approx(1 / (1 + np.exp(-1)) if spread else 0.5, rel=1e-6)
