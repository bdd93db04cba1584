"""Small vectors with ties, duplicates and sequences, and who may borrow from whom."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from epoxy_core.neighbors import Scope

KINDS = ("any", "same_sequence", "other_sequences")

# Few small integers make duplicates, exact ties, opposite and zero vectors likely.
coarse = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 14), st.integers(1, 3)), elements=st.integers(-1, 2)
)


def unit(vectors):
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def on_grid(embeddings):
    """Similarities as every search compares them, float64 [n, n]."""
    wide = embeddings.astype(np.float64)
    return np.rint(wide @ wide.T * 2**20) / 2**20


def scopes(n):
    """No scope, or sequences of any sizes, ones of a single item among them."""
    sequences = hnp.arrays(np.int64, n, elements=st.integers(0, 3))
    return st.none() | st.builds(Scope, sequences, st.sampled_from(KINDS))


def may_lend(scope, n):
    """Bool [n, n]: whether the row may borrow from the column."""
    if scope is None or scope.borrow_from == "any":
        return np.ones((n, n), bool)
    same = scope.sequences[:, None] == scope.sequences
    return same if scope.borrow_from == "same_sequence" else ~same
