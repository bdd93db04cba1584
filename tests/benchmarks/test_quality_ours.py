import numpy as np
import pytest

from benchmarks.quality.contest import OURS, run_ours, same
from benchmarks.quality.data import TextSet
from benchmarks.quality.embeddings import cached_embeddings
from benchmarks.quality.ours import (
    AUTO,
    AUTO_DEV,
    END_MODEL,
    EXTENDED,
    LABEL_MODEL,
    PROPAGATED,
    STAGES,
    stages,
)
from benchmarks.quality.scores import scores
from epoxy_core.embed import TextEncoder


@pytest.fixture(scope="module")
def blobs():
    """Two clouds of items, and five LFs that vote on a quarter and are right on four fifths."""
    draw = np.random.default_rng(0)
    right = draw.integers(0, 2, 400).astype(np.int8)
    centres = np.eye(2, 16)
    embeddings = centres[right] + draw.normal(0, 0.15, (400, 16))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    votes = np.where(draw.random((400, 5)) < 0.8, right[:, None], 1 - right[:, None])
    votes = np.where(draw.random((400, 5)) < 0.25, votes, -1).astype(np.int8)
    train = np.arange(400) < 300
    valid = (np.arange(400) >= 300) & (np.arange(400) < 340)
    texts = ("",) * 400
    return TextSet("blobs", ("a", "b"), texts, votes, right, train, valid, ~train & ~valid, ()), (
        embeddings
    )


def of(texts, embeddings, votes=None, gold=None):
    found = stages(
        texts.votes if votes is None else votes,
        texts.texts,
        embeddings,
        texts.train,
        texts.dev_gold if gold is None else gold,
        texts.n_classes,
    )
    assert found.choices.keys() == {AUTO, AUTO_DEV}
    return found.probabilities


def test_every_stage_labels_every_item(blobs):
    texts, embeddings = blobs
    found = of(texts, embeddings)
    assert tuple(found) == STAGES
    for probabilities in found.values():
        assert probabilities.shape == (400, 2)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_embeddings_help(blobs):
    texts, embeddings = blobs
    gold = texts.gold[texts.test]
    accuracy = {
        stage: scores(each[texts.test], gold).accuracy
        for stage, each in of(texts, embeddings).items()
    }
    assert accuracy[LABEL_MODEL] < accuracy[EXTENDED] < accuracy[END_MODEL]
    assert accuracy[LABEL_MODEL] < accuracy[PROPAGATED]
    assert accuracy[END_MODEL] > 0.95
    assert accuracy[AUTO] > 0.95
    assert accuracy[AUTO_DEV] > 0.95


def test_items_that_are_not_train_change_nothing_for_others(blobs):
    texts, embeddings = blobs
    votes = texts.votes.copy()
    votes[340:] = 0
    before, after = of(texts, embeddings), of(texts, embeddings, votes=votes)
    for stage in STAGES:
        np.testing.assert_allclose(before[stage][:340], after[stage][:340], atol=1e-6)


def test_only_the_last_stage_sees_hand_labels(blobs):
    texts, embeddings = blobs
    wrong = np.where(texts.dev_gold >= 0, 1 - texts.dev_gold, np.int8(-1)).astype(np.int8)
    right, lied = of(texts, embeddings), of(texts, embeddings, gold=wrong)
    for stage in STAGES:
        assert np.allclose(right[stage], lied[stage], atol=1e-6) == (stage != AUTO_DEV)


def test_run_twice_is_the_same(blobs):
    texts, embeddings = blobs
    one, other = run_ours(texts, embeddings), run_ours(texts, embeddings)
    assert same(one, one)
    for name, outcome in one.items():
        for a, b in zip(outcome.probabilities, other[name].probabilities, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)
    changed = other[OURS + END_MODEL].probabilities[0]
    changed[0, 0] += 0.001
    assert not same(one, other)


def test_embeddings_are_kept(tmp_path):
    encoder, texts = TextEncoder(), ["free prize", "see you at nine", "free prizes"]
    first = cached_embeddings(encoder, texts, tmp_path / "cache")
    assert first.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-3)
    assert first[0] @ first[2] > first[0] @ first[1]
    (file,) = (tmp_path / "cache").iterdir()
    vectors = np.ones((3, 384), dtype=np.float16)
    np.savez(file, vectors=vectors)
    assert (cached_embeddings(encoder, texts, tmp_path / "cache") == 1).all()
    assert not (cached_embeddings(encoder, texts[::-1], tmp_path / "cache") == 1).any()
