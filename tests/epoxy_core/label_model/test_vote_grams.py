import itertools

import numpy as np

from epoxy_core.label_model import Triplets
from epoxy_core.label_model.vote_grams import VoteGrams, vote_grams


def test_counts_of_chunks_add_up():
    votes = np.random.default_rng(0).integers(-1, 3, size=(900, 6)).astype(np.int8)
    parts = [vote_grams(chunk, 3) for chunk in np.array_split(votes, 4)]
    summed = VoteGrams(*(sum(counts) for counts in zip(*parts, strict=True)))
    np.testing.assert_array_equal(
        Triplets(3).fit_grams(summed).accuracy_, Triplets(3).fit(votes).accuracy_
    )
    whole = vote_grams(votes, 3)
    for i, j in itertools.product(range(6), repeat=2):
        both = (votes[:, i] >= 0) & (votes[:, j] >= 0)
        assert whole.overlap[i, j] == both.sum()
        assert whole.agreement[i, j] == (both & (votes[:, i] == votes[:, j])).sum()
        for label in range(3):
            assert whole.meetings[label, i, j] == (both & (votes[:, i] == label)).sum()
