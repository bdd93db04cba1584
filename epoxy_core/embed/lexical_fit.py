"""What lexical vectors are fitted with: the sample, its terms, their main directions."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_CHARACTERS = 50_000_000
"""Of the sample that is fitted on: long texts make a smaller sample."""

READING: dict[str, Any] = {
    "ngram_range": (1, 2),
    "strip_accents": "unicode",
    "dtype": np.float32,
}
"""How a text becomes terms, the same for fitting and for transforming."""


def sample(texts: Sequence[str], most: int) -> list[str]:
    """Distinct texts by ascending hash, as many as may be fitted on."""
    by_hash = sorted(
        set(texts),
        key=lambda text: hashlib.blake2b(text.encode(), digest_size=16).digest(),
    )[:most]
    enough = np.searchsorted(np.cumsum([len(text) for text in by_hash]), MOST_CHARACTERS, "right")
    return by_hash[: max(1, int(enough))]


def term_counts(texts: Sequence[str]) -> tuple[Any, list[str]]:
    """How often each text has each term: sparse [n, V]; and the V terms, sorted."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    counting = CountVectorizer(**READING)
    reads = counting.build_analyzer()
    if not any(map(reads, texts)):
        return csr_matrix((len(texts), 0), dtype=np.float32), []
    counts = counting.fit_transform(texts)
    return counts, counting.get_feature_names_out().tolist()


def directions_of(
    matrix: Any, most: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Singular values [r] and right singular vectors [r, V], r the rank or ``most``."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    # On one thread: thin matrices gain nothing from more, and the sums' order depends on them.
    with threadpool_limits(limits=1, user_api="blas"):
        _, singular, right = randomized_svd(
            matrix, min(most, *matrix.shape), n_iter=5, random_state=0
        )
    real = singular > 1e-4 * singular[0]
    return singular[real], right[real]
