import numpy as np
import pytest

from epoxy_core.end_model import cut_statistic, select
from epoxy_core.neighbors import NeighborGraph, Scope, neighbor_graph


def embedded(n, seed=0, dimensions=5):
    vectors = np.random.default_rng(seed).normal(size=(n, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_loops(labels, graph, n_classes):
    covered = [row for row in range(len(labels)) if labels[row] >= 0]
    share = [sum(labels[row] == k for row in covered) / len(covered) for k in range(n_classes)]
    z = np.full(len(labels), np.nan)
    for row in covered:
        cut = total = squares = 0.0
        for other, similarity in zip(graph.indices[row], graph.similarity[row], strict=True):
            weight = max(float(similarity), 0.0) if labels[other] >= 0 else 0.0
            cut += weight * (labels[other] != labels[row])
            total += weight
            squares += weight**2
        p = share[labels[row]]
        spread = (p * (1 - p) * squares) ** 0.5
        z[row] = (cut - (1 - p) * total) / spread if spread else 0.0
    return z


def test_equals_naive_loops():
    graph = neighbor_graph(embedded(300), 12)
    labels = np.random.default_rng(1).integers(-1, 3, size=300)
    np.testing.assert_allclose(cut_statistic(labels, graph, 3), by_loops(labels, graph, 3))


def test_nobody_in_place_of_a_neighbour_does_not_count():
    sequences = np.random.default_rng(2).integers(0, 40, 300)
    graph = neighbor_graph(embedded(300), 12, Scope(sequences, "same_sequence"))
    assert 0 < (graph.indices < 0).mean() < 1
    labels = np.random.default_rng(1).integers(-1, 3, size=300)
    found = cut_statistic(labels, graph, 3)
    for row in np.flatnonzero(labels >= 0):
        there = graph.indices[row] >= 0
        one = graph.indices[row][there], graph.similarity[row][there]
        indices, similarity = (np.zeros((300, there.sum()), part.dtype) for part in one)
        indices[row], similarity[row] = one
        alone = cut_statistic(labels, NeighborGraph(indices, similarity), 3)
        np.testing.assert_allclose(found[row], alone[row])


def test_no_evidence_is_zero_and_uncovered_is_nan():
    graph = neighbor_graph(embedded(20), 3)
    one_class = np.zeros(20, dtype=int)
    np.testing.assert_array_equal(cut_statistic(one_class, graph, 2), np.zeros(20))
    nobody = np.full(20, -1)
    assert np.isnan(cut_statistic(nobody, graph, 2)).all()
    alone = neighbor_graph(embedded(1), 3)
    np.testing.assert_array_equal(cut_statistic(np.array([1]), alone, 2), [0.0])


def test_wrong_labels_are_cut():
    generator = np.random.default_rng(2)
    gold = np.arange(400) % 2
    vectors = np.where(gold[:, None] == 1, 1.0, -1.0) * np.ones(8) + generator.normal(size=(400, 8))
    embeddings = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    wrong = generator.random(400) < 0.15
    labels = np.where(wrong, 1 - gold, gold)
    kept = select(cut_statistic(labels, neighbor_graph(embeddings, 15), 2), labels, 0.8)
    assert kept.sum() == 320
    assert wrong[kept].mean() < 0.02


def test_lowest_are_kept_ties_by_row():
    z = np.array([0.5, np.nan, -1.0, 0.5, 0.5, 2.0])
    labels = np.array([0, -1, 0, 0, 0, 0])
    kept = select(z, labels, 0.5, least_per_class=0)
    assert kept.tolist() == [True, False, True, True, False, False]
    assert select(z, labels, 1.0).sum() == 5
    assert select(np.full(3, np.nan), np.full(3, -1), 0.8).sum() == 0


@pytest.mark.parametrize(("rare", "kept_of_rare"), [(3, 3), (9, 5)])
def test_no_class_is_lost(rare, kept_of_rare):
    labels = np.r_[np.zeros(100, dtype=int), np.ones(rare, dtype=int)]
    z = np.r_[np.linspace(-2, -1, 100), np.linspace(1, 2, rare)]
    kept = select(z, labels, 0.5)
    assert kept[labels == 1].tolist() == [True] * kept_of_rare + [False] * (rare - kept_of_rare)
