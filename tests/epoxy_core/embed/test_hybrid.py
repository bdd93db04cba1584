import numpy as np
import pytest

from epoxy_core.embed import joined
from epoxy_core.errors import EpoxyError


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_side_by_side(kind):
    random = np.random.default_rng(0)
    embeddings = random.random((5, 4), dtype=np.float32)
    lexical = random.random((5, 3), dtype=np.float32).astype(kind)
    both = joined(embeddings, lexical, weight=0.3)
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[:, :4], embeddings)
    np.testing.assert_array_equal(both[:, 4:], lexical.astype(np.float32) * np.float32(0.3))


def test_the_square_of_the_weight_counts_in_an_inner_product():
    embeddings, lexical = np.eye(2, dtype=np.float32), np.ones((2, 1), np.float32)
    both = joined(embeddings, lexical)
    np.testing.assert_array_equal(both @ both.T, [[1.25, 0.25], [0.25, 1.25]])


def test_no_lexical_vectors():
    embeddings = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(joined(embeddings, np.empty((3, 0), np.float16)), embeddings)


def test_of_other_items():
    with pytest.raises(EpoxyError, match="3 embeddings and 2 lexical"):
        joined(np.eye(3, dtype=np.float32), np.ones((2, 1), np.float32))
