import numpy as np
from searching import unit

from epoxy_core.neighbors import Scope, random_similarity


def test_random_similarity_lies_between_unrelated_and_alike():
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(500, 64))
    embeddings = unit(np.repeat(centres, 2, axis=0) + 0.1 * generator.normal(size=(1000, 64)))
    floor = random_similarity(embeddings)
    wide = embeddings.astype(np.float64)
    pairs = (wide @ wide.T)[np.triu_indices(1000, 1)]
    assert abs(floor - np.quantile(pairs, 0.99)) < 0.02
    assert floor < (wide[::2] * wide[1::2]).sum(axis=1).min()
    assert floor == random_similarity(embeddings)
    assert random_similarity(embeddings[:1]) == 1.0


def test_pairs_of_the_same_sequence_are_not_unrelated():
    generator = np.random.default_rng(1)
    videos = np.repeat(np.arange(8), 100)
    centres = generator.normal(size=(8, 64))
    embeddings = unit(centres[videos] + 0.3 * generator.normal(size=(800, 64)))
    place = generator.permutation(800)
    embeddings, videos = embeddings[place], videos[place]
    pairs = embeddings.astype(np.float64) @ embeddings.T
    apart = videos[:, None] != videos
    scope = Scope(videos, "any")
    floor = random_similarity(embeddings, scope)
    assert abs(floor - np.quantile(pairs[apart], 0.95)) < 0.02
    within = pairs[~apart & ~np.eye(800, dtype=bool)]
    assert floor < within.min() < random_similarity(embeddings)
    assert floor == random_similarity(embeddings, Scope(videos, "same_sequence"))
    one = Scope(np.zeros(800, np.int64), "any")
    assert random_similarity(embeddings, one) == random_similarity(embeddings)


def test_pairs_are_drawn_evenly_from_sequences_of_unequal_length():
    sequences = np.array([0] * 4 + [1] + [2] * 2)
    embeddings = np.eye(7, dtype=np.float32)
    embeddings[6] = embeddings[4]  # one pair of items of different sequences is alike
    share = 2 / (4 * 3 + 6 + 2 * 5)
    scope = Scope(sequences)
    assert random_similarity(embeddings, scope, quantile=1 - share / 2) == 1
    assert random_similarity(embeddings, scope, quantile=1 - share * 1.2) == 0
