import numpy as np

from epoxy_core.neighbors.similarity import GRID, exact_similarity, matmul_slack


def test_same_pair_same_similarity_in_any_shape():
    vectors = np.random.default_rng(0).normal(size=(900, 384))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    everyone = np.arange(900)
    wide = exact_similarity(vectors, np.array([3]), everyone[None])[0]
    tall = exact_similarity(vectors, everyone, np.full((900, 1), 3))[:, 0]
    np.testing.assert_array_equal(wide, tall)
    np.testing.assert_array_equal(wide / GRID, np.rint(wide / GRID))


def test_a_matrix_product_stays_within_the_slack():
    for dimensions in (1, 16, 768):
        vectors = np.random.default_rng(dimensions).normal(size=(500, dimensions))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        exact = exact_similarity(vectors, np.arange(500), np.tile(np.arange(500), (500, 1)))
        assert np.abs(vectors @ vectors.T - exact).max() <= matmul_slack(dimensions)
