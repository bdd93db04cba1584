import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epoxy_core.neighbors.candidates.pool import NOBODY, Candidates
from epoxy_core.neighbors.cells.centroids import centroids, nearest_cells
from epoxy_core.neighbors.cells.visits import Visits
from epoxy_core.neighbors.formats import FLOAT32, INT8, native

NO_CELL = np.iinfo(np.uint16).max
TILES = {
    np.float32: st.sampled_from([-2.5, -1.0, -1e-3, 0.0, 1e-3, 0.5, 0.75, 3e6]),
    np.int32: st.integers(-6_000_000, 6_000_000),
    np.uint16: st.sampled_from([0x3F80, 0x3F81, 0xBF80, 0x0000, 0x3E99]),  # ±1, .3 in bfloat16
}


def values_of(tile):
    if tile.dtype == np.uint16:
        return (tile.astype(np.uint32) << 16).view(np.float32)
    return tile.astype(np.float32)


@pytest.mark.parametrize("kind", TILES)
@given(data=st.data(), n=st.integers(1, 60), width=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_the_best_of_all_pairs_are_kept(kind, data, n, width):
    """Rows and columns of tiles that come one after the other, as from a symmetric product."""
    drawn = st.lists(TILES[kind], min_size=n * n, max_size=n * n)
    products = np.array(data.draw(drawn), dtype=kind).reshape(n, n)
    products = np.triu(products) + np.triu(products, 1).T
    found, everyone = Candidates.empty(n, width), np.arange(n, dtype=np.int32)
    side = data.draw(st.integers(1, 70))
    for top in range(0, n, side):
        for left in range(top, n, side):
            rows, columns = everyone[top : top + side], everyone[left : left + side]
            tile = products[top : top + side, left : left + side].copy()
            found.enter(tile, rows, rows, columns, both=top != left)
    best, values = found.best(), values_of(products)
    for item in range(n):
        others = np.delete(values[item], item)
        kept = best.rows[item][best.rows[item] != NOBODY]
        assert len(np.unique(kept)) == len(kept) == min(width, n - 1)
        assert item not in kept
        true = np.sort(others)[::-1][:width]
        np.testing.assert_array_equal(values[item, kept], true)
        left_out = np.setdiff1d(np.delete(everyone, item), kept)
        assert (values[item, left_out] <= best.left_out[item]).all()
        if not len(left_out):
            assert best.left_out[item] == -np.inf


def test_items_of_one_number_are_kept_apart():
    found, everyone = Candidates.empty(6, 5), np.arange(6, dtype=np.int32)
    tile = np.ones((6, 6), dtype=np.float32)
    found.enter(tile, everyone, everyone, everyone, both=False, apart=np.array([0, 0, 0, 1, 1, 2]))
    kept = [sorted(row[row != NOBODY]) for row in found.best().rows]
    assert kept == [[3, 4, 5]] * 3 + [[0, 1, 2, 5]] * 2 + [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("form", [FLOAT32, INT8] if native("int8") else [FLOAT32])
@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(2, 70), st.data())
@settings(max_examples=40, deadline=None)
def test_the_nearest_cells_are_found(form, seed, n, cells, data):
    draw = np.random.default_rng(seed)
    count = data.draw(st.integers(1, cells))
    most = data.draw(st.integers(count, cells))
    vectors, middles = (
        form.encode(draw.integers(-2, 3, size=(size, 8)).astype(np.float32)) for size in (n, cells)
    )
    products = vectors.astype(np.int64) @ middles.astype(np.int64).T
    for product, found in zip(
        products, nearest_cells(vectors, middles, form, count, most), strict=True
    ):
        found = found[found != NO_CELL]
        assert count <= len(np.unique(found)) == len(found)
        assert product[found[0]] == product.max()
        np.testing.assert_array_equal(
            np.sort(product[found])[::-1], np.sort(product)[::-1][: len(found)]
        )


def test_who_visits_whom():
    probed = np.array([[2, 0], [0, NO_CELL], [2, 1], [0, 2]], dtype=np.uint16)
    visits = Visits.of(probed, 3)
    assert visits.order.tolist() == [1, 3, 0, 2]
    assert visits.start.tolist() == [0, 2, 2, 4]
    assert visits.homes.tolist() == [0, 0, 2, 2]
    by_cell = np.split(visits.visitors, visits.first[1:-1])
    assert [cell.tolist() for cell in by_cell] == [[2], [3], [1]]


def test_centroids_of_fewer_directions_than_cells():
    vectors = np.repeat(np.eye(3, dtype=np.float32), 40, axis=0)
    middles = centroids(vectors, 5)
    assert middles.shape == (5, 3)
    assert np.isfinite(middles).all()
    assert (vectors @ middles.T).max(axis=1) == pytest.approx(1)
