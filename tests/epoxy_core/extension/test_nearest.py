import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searching import KINDS, coarse, may_lend, on_grid, scopes, unit

from epoxy_core.extension import nearest_in
from epoxy_core.neighbors import Scope


def assert_is_by_search(embeddings, queries, support, scope):
    found = nearest_in(embeddings, queries, support, scope)
    similarity, lends = on_grid(embeddings), may_lend(scope, len(embeddings))
    for place, query in enumerate(queries):
        lenders = [row for row in support if lends[query, row]]
        if not lenders:
            assert found.index[place] == -1
            assert np.isnan(found.similarity[place])
            continue
        best = min(lenders, key=lambda row: (-similarity[query, row], row))
        assert found.index[place] == best
        assert found.similarity[place] == np.float32(similarity[query, best])


@given(coarse, st.data())
@settings(max_examples=300, deadline=None)
def test_nearest_equals_brute_force(vectors, data):
    embeddings = unit(vectors)
    rows = st.lists(st.integers(0, len(embeddings) - 1), max_size=8)
    queries, support = np.array(data.draw(rows), int), np.array(data.draw(rows), int)
    assert_is_by_search(embeddings, queries, support, data.draw(scopes(len(vectors))))


@pytest.mark.parametrize("kind", KINDS)
def test_nearest_in_parts_of_the_support_is_the_same(kind, monkeypatch):
    from epoxy_core.extension import nearest

    draw = np.random.default_rng(5)
    embeddings = unit(draw.integers(-1, 2, size=(400, 5)))
    queries, support = np.arange(0, 400, 3), np.arange(1, 400, 2)[::-1]
    scope = Scope(draw.integers(0, 6, 400) ** 2, kind)
    assert_is_by_search(embeddings, queries, support, scope)
    monkeypatch.setattr(nearest, "_SUPPORT_AT_ONCE", 17)
    monkeypatch.setattr(nearest, "_QUERIES_AT_ONCE", 3)
    monkeypatch.setattr(nearest, "_MANY", 0)
    assert_is_by_search(embeddings, queries, support, scope)
    monkeypatch.setattr(nearest, "_MANY", 10**6)
    assert_is_by_search(embeddings, queries, support, scope)
