import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import coarse, on_grid, unit

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors import Scope, engines, neighbor_graph, usual_recall
from epoxy_core.neighbors.formats import BFLOAT16, FLOAT32, INT8, bfloat16_error, native
from epoxy_core.neighbors.recall import measured_recall

APPROXIMATE = ("int8", "cells")


def clustered(n, seed=0, dimensions=48):
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(60, dimensions))
    return unit(centres[draw.integers(60, size=n)] + 0.7 * draw.normal(size=(n, dimensions)))


def assert_sound(graph, embeddings, k):
    """Distinct neighbours, never oneself, in order, with their true similarity."""
    n = len(embeddings)
    assert graph.indices.shape == (n, max(0, min(k, n - 1)))
    assert graph.indices.dtype == np.int32
    if not graph.indices.size:
        return
    rows = np.arange(n)[:, None]
    assert (graph.indices >= 0).all()
    assert (graph.indices != rows).all()
    assert (np.diff(np.sort(graph.indices, axis=1), axis=1) > 0).all()
    np.testing.assert_array_equal(graph.similarity, on_grid(embeddings)[rows, graph.indices])
    ahead = np.diff(graph.similarity, axis=1)
    assert ((ahead < 0) | ((ahead == 0) & (np.diff(graph.indices, axis=1) > 0))).all()


@pytest.mark.parametrize("engine", APPROXIMATE)
@given(coarse, st.integers(1, 16))
@settings(max_examples=60, deadline=None)
def test_approximate_engines_are_sound_on_few_items(engine, vectors, k):
    assert_sound(neighbor_graph(unit(vectors), k, engine=engine), unit(vectors), k)


@pytest.mark.parametrize("engine", APPROXIMATE)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_approximate_engines_on_next_to_nothing(engine, n):
    embeddings = np.ones((n, 1), dtype=np.float32)
    assert_sound(neighbor_graph(embeddings, 3, engine=engine), embeddings, 3)


@pytest.mark.parametrize("engine", APPROXIMATE)
def test_approximate_engines_on_duplicates_and_zeros(engine):
    embeddings = clustered(3000)
    draw = np.random.default_rng(1)
    embeddings[draw.integers(3000, size=900)] = embeddings[4]
    embeddings[draw.integers(3000, size=300)] = 0
    graph = neighbor_graph(embeddings, 20, recall=0.95, engine=engine)
    assert_sound(graph, embeddings, 20)
    assert graph.recall > 0.9


@pytest.mark.parametrize(("engine", "asked"), [("int8", 0.99), ("cells", 0.4), ("cells", 0.95)])
def test_recall_is_what_was_asked_and_what_is_said(engine, asked):
    embeddings = clustered(6000, dimensions=32)
    graph = neighbor_graph(embeddings, 10, recall=asked, engine=engine)
    assert_sound(graph, embeddings, 10)
    true = neighbor_graph(embeddings, 10)
    share = (graph.similarity >= true.similarity[:, -1:]).mean()
    assert share > asked - 0.01
    assert abs(graph.recall - share) < 0.02
    if asked == 0.4:
        assert share < 0.8  # less was done


def test_threads_share_the_cells(monkeypatch):
    from epoxy_core.neighbors.candidates import all_pairs
    from epoxy_core.neighbors.cells import search

    embeddings = clustered(3000)
    alone = neighbor_graph(embeddings, 10, recall=0.9, engine="cells")
    monkeypatch.setattr(all_pairs, "_SIDE", 50)
    monkeypatch.setattr(search, "_HEIGHT", 64)
    monkeypatch.setattr(search, "_WIDTH", 128)
    for module in (all_pairs, search):
        monkeypatch.setattr(module, "_WORTH_A_THREAD", 100)
        monkeypatch.setattr(module, "thread_count", lambda: 3)
    together = neighbor_graph(embeddings, 10, recall=0.9, engine="cells")
    assert_sound(together, embeddings, 10)
    assert abs(alone.recall - together.recall) < 0.02


def test_cells_on_a_cpu_that_does_not_multiply_int8(monkeypatch):
    from epoxy_core.neighbors.cells import centroids, search

    for module in (centroids, search):
        monkeypatch.setattr(module, "native", lambda name: name == "float32")
    embeddings = clustered(3000)
    graph = neighbor_graph(embeddings, 10, recall=0.95, engine="cells")
    assert_sound(graph, embeddings, 10)
    assert graph.recall > 0.93


def test_neighbours_of_neighbours_make_up_for_cells_not_probed(monkeypatch):
    from epoxy_core.neighbors.cells import search

    monkeypatch.setattr(search, "_LEFT_OUT", 6)
    embeddings = clustered(6000)
    enough = neighbor_graph(embeddings, 10, recall=0.9, engine="cells")
    monkeypatch.setattr(search, "_ROUNDS", 0)
    assert enough.recall > 0.88
    assert neighbor_graph(embeddings, 10, recall=0.9, engine="cells").recall < 0.82


def test_what_int8_cannot_hold_is_found_by_a_better_engine(monkeypatch):
    # Two components of 1 among many of 1e-4: on one scale, all else is rounded to nothing.
    draw = np.random.default_rng(0)
    embeddings = 1e-3 * draw.normal(size=(1500, 40))
    embeddings[:, 0] = 1
    embeddings = unit(embeddings)
    held = neighbor_graph(embeddings, 5, recall=0.9, engine="int8")
    assert held.recall < 0.5
    monkeypatch.setattr(engines, "_FEW", 100)
    graph = neighbor_graph(embeddings, 5, recall=0.9)
    assert (graph.recall, graph.engine) == (1, engines.better("int8"))
    np.testing.assert_array_equal(graph.indices, neighbor_graph(embeddings, 5).indices)


def test_measured_recall_counts_ties_as_right():
    embeddings = unit(np.repeat(np.eye(4), 5, axis=0))
    graph = neighbor_graph(embeddings, 2)
    assert measured_recall(graph.similarity, embeddings) == 1
    half = graph.similarity.copy()
    half[:, 1] = 0
    assert measured_recall(half, embeddings) == 0.5


def test_the_engine_is_chosen_by_size_and_recall():
    exact = "bfloat16" if native("bfloat16") else "float32"
    fast = "int8" if native("int8") else exact
    assert engines.choose(1000, 0.5) == "float32"
    assert engines.choose(30_000, 1.0) == exact
    assert engines.choose(30_000, 0.9) == fast
    assert engines.choose(10**6, 0.99) == fast
    assert engines.choose(10**6, 0.95) == "cells"
    assert engines.choose(10**6, 1.0) == exact
    assert [usual_recall(n) for n in (10, 50_000, 200_000, 10**6)] == [1, 1, 0.99, 0.95]


@pytest.mark.parametrize("recall", [0, 1.01, -1])
def test_a_recall_that_is_none(recall):
    with pytest.raises(EpoxyError, match=r"extension\.recall"):
        neighbor_graph(np.eye(4, dtype=np.float32), 2, recall=recall)


@pytest.mark.parametrize("kind", ["same_sequence", "other_sequences"])
def test_a_scope_is_searched_exactly(kind):
    embeddings = clustered(600)
    scope = Scope(np.arange(600) % 11, kind)
    graph = neighbor_graph(embeddings, 5, scope, recall=0.5, engine="int8")
    assert graph.recall == 1
    assert graph.engine == "float32"
    np.testing.assert_array_equal(graph.indices, neighbor_graph(embeddings, 5, scope).indices)


@pytest.mark.parametrize("apart", [None, np.arange(700) % 5])
def test_the_products_of_a_gpu_serve_as_well(apart):
    """The same code, on torch's CPU."""
    from epoxy_core.neighbors.exact import exact

    embeddings = clustered(700)
    embeddings[100:300] = embeddings[7]
    for there, here in zip(
        exact(embeddings, 9, apart, "cpu:0"), exact(embeddings, 9, apart), strict=True
    ):
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize(("form", "error"), [(FLOAT32, 1e-6), (BFLOAT16, 0.02), (INT8, 0.03)])
def test_formats_multiply(form, error):
    left, right = clustered(70, 1), clustered(90, 2)
    both = form.encode(np.vstack([left, right]))
    tile = form.tile(both[:70], both[70:], form.scratch(128))
    assert tile.dtype == form.product
    products = (tile.astype(np.uint32) << 16).view(np.float32) if form is BFLOAT16 else tile
    scale = (left @ right.T * products).sum() / (products.astype(float) ** 2).sum()
    np.testing.assert_allclose(products * scale, left @ right.T, atol=error)


def test_no_product_of_bfloat16_is_farther_off_than_its_vectors():
    vectors = clustered(300)
    bits = BFLOAT16.encode(vectors)
    error = bfloat16_error(vectors, bits)
    rounded = (bits.astype(np.uint32) << 16).view(np.float32)
    off = np.abs(rounded @ rounded.T - vectors @ vectors.T)
    assert (off <= 1.02 * (error[:, None] + error) + 1e-6).all()


def test_settings_of_threads_come_back():
    import torch
    from threadpoolctl import threadpool_info

    neighbor_graph(clustered(100), 4, engine="bfloat16")  # loads all libraries
    before = torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]
    neighbor_graph(clustered(5000), 4, engine="bfloat16")
    assert (torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]) == before
