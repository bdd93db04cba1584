import numpy as np
import pytest

from epoxy_core.end_model import LinearHead, MLPHead
from epoxy_core.errors import EpoxyError


def rings(n=1200, seed=0):
    """The class is the sign of a product: no straight line tells them apart."""
    vectors = np.random.default_rng(seed).normal(size=(n, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), (vectors[:, 0] * vectors[:, 1] > 0).astype(int)


def test_learns_what_a_line_cannot():
    embeddings, gold = rings()
    test, truth = rings(seed=1)
    head = MLPHead(2, learning_rate=0.02, dropout=0.1, patience=10).fit(embeddings, gold)
    assert (head.predict_proba(test).argmax(axis=1) == truth).mean() > 0.9
    linear = LinearHead(2).fit(embeddings, gold)
    assert (linear.predict_proba(test).argmax(axis=1) == truth).mean() < 0.65


def test_the_seed_decides_and_torch_is_left_as_it_was():
    import torch

    embeddings, gold = rings(300)
    settings = {"hidden": 8, "max_steps": 5}
    torch.manual_seed(1)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = MLPHead(2, **settings).fit(embeddings, gold)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    again = MLPHead(2, **settings).fit(embeddings, gold)
    other = MLPHead(2, **settings, seed=1).fit(embeddings, gold)
    found = first.predict_proba(embeddings)
    np.testing.assert_array_equal(again.predict_proba(embeddings), found)
    assert not np.array_equal(other.predict_proba(embeddings), found)


def test_soft_labels_are_met_on_average():
    embeddings, _ = rings(2000)
    targets = np.tile([0.7, 0.2, 0.1], (2000, 1))
    head = MLPHead(3, hidden=4, labels="soft").fit(embeddings, targets)
    np.testing.assert_allclose(head.predict_proba(embeddings).mean(axis=0), targets[0], atol=0.04)


def test_weights_count_and_a_class_without_items_is_never_predicted():
    embeddings, gold = rings(400)
    classes = np.where(gold == 0, 1, 3)
    weight = np.where(classes == 3, 9.0, 1.0)
    head = MLPHead(4, hidden=8).fit(embeddings, classes, weight)
    found = head.predict_proba(embeddings)
    np.testing.assert_array_equal(found[:, [0, 2]], 0)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[:, 3].mean() > 0.8
    alone = MLPHead(4, hidden=8).fit(embeddings, classes, np.where(classes == 3, 1.0, 1e-6))
    assert alone.predict_proba(embeddings)[:, 3].min() > 0.9
    with pytest.raises(EpoxyError, match="items of 1"):
        MLPHead(4).fit(embeddings, classes, (classes == 3).astype(float))


def test_stops_early_and_few_items_are_enough():
    embeddings, _ = rings(300)
    noise = np.random.default_rng(5).integers(0, 2, 300)
    assert MLPHead(2, patience=2).fit(embeddings, noise).epochs_ < 60
    few = MLPHead(2, max_steps=20).fit(embeddings[:4], np.array([0, 1, 0, 1]))
    assert np.isfinite(few.predict_proba(embeddings)).all()
