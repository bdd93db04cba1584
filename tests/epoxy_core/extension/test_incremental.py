import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from searching import KINDS, scopes, unit

from epoxy_core.extension import extend_again, extend_votes
from epoxy_core.neighbors import Scope, neighbor_graph


def assert_as_if_new(old, new, embeddings, k, threshold, search_from=-1.0, scope=None):
    graph = neighbor_graph(embeddings, k, scope)
    before = extend_votes(old, graph, embeddings, threshold, search_from)
    copy = before.source.copy(), before.similarity.copy(), before.votes.copy()
    again = extend_again(before, new, graph, embeddings, threshold, search_from)
    expected = extend_votes(new, graph, embeddings, threshold, search_from)
    np.testing.assert_array_equal(again.votes, expected.votes)
    np.testing.assert_array_equal(again.source, expected.source)
    np.testing.assert_array_equal(again.similarity, expected.similarity)
    for kept, was in zip((before.source, before.similarity, before.votes), copy, strict=True):
        np.testing.assert_array_equal(kept, was)  # the old votes are not touched


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_equals_extension_from_scratch(data):
    n = data.draw(st.integers(1, 14))
    vectors = data.draw(
        hnp.arrays(np.float32, (n, data.draw(st.integers(1, 3))), elements=st.integers(-1, 2))
    )
    votes = hnp.arrays(np.int8, n, elements=st.integers(-1, 2))
    threshold = data.draw(st.sampled_from([-1.0, 0.0, 0.5, 2**-0.5, 0.8, 1.0]))
    search_from = data.draw(st.sampled_from([-1.0, 0.0, 0.7, 1.0]))
    k = data.draw(st.integers(1, 16))
    old, new = data.draw(votes), data.draw(votes)
    scope = data.draw(scopes(n))
    assert_as_if_new(old, new, unit(vectors), k, threshold, search_from, scope)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_extension_from_scratch_on_larger_sets_with_duplicates(kind):
    generator = np.random.default_rng(0)
    scope = Scope(generator.integers(0, 9, 600), kind)
    vectors = generator.normal(size=(600, 8))
    vectors[generator.integers(600, size=200)] = vectors[generator.integers(600, size=200)]
    embeddings = unit(vectors)
    for _ in range(20):
        old = np.where(generator.random(600) < 0.1, generator.integers(3, size=600), -1)
        new = np.where(generator.random(600) < 0.1, generator.integers(3, size=600), old)
        new = np.where(generator.random(600) < 0.05, -1, new)
        threshold, search_from = generator.choice([0.2, 0.6]), generator.choice([-1, 0.7])
        old, new = old.astype(np.int8), new.astype(np.int8)
        assert_as_if_new(old, new, embeddings, 5, threshold, search_from, scope)
