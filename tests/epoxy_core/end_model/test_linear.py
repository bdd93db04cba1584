import numpy as np
import pytest

from epoxy_core.end_model import LinearHead
from epoxy_core.errors import EpoxyError


def blobs(n_classes, n=300, seed=0):
    generator = np.random.default_rng(seed)
    gold = np.arange(n) % n_classes
    centres = generator.normal(size=(n_classes, 10))
    vectors = centres[gold] + 0.8 * generator.normal(size=(n, 10))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), gold


@pytest.mark.parametrize("n_classes", [2, 3])
def test_hard_labels_are_scikit_learns_logistic_regression(n_classes):
    from sklearn.linear_model import LogisticRegression

    embeddings, gold = blobs(n_classes)
    weight = np.linspace(0.5, 2, len(gold))
    head = LinearHead(n_classes, l2=0.5).fit(embeddings, gold, weight)
    peer = LogisticRegression(C=2.0, tol=1e-10, max_iter=1000).fit(
        embeddings, gold, sample_weight=weight
    )
    found = head.predict_proba(embeddings)
    np.testing.assert_allclose(found, peer.predict_proba(embeddings), atol=1e-3)
    assert found.dtype == np.float64
    from_probabilities = LinearHead(n_classes, l2=0.5).fit(
        embeddings, np.eye(n_classes)[gold], weight
    )
    np.testing.assert_array_equal(from_probabilities.weights_, head.weights_)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_soft_labels_reach_the_minimum_of_the_expected_loss(n_classes):
    embeddings, gold = blobs(n_classes)
    generator = np.random.default_rng(1)
    targets = 0.7 * np.eye(n_classes)[gold] + 0.3 * generator.dirichlet([1] * n_classes, len(gold))
    head = LinearHead(n_classes, l2=1.0, labels="soft").fit(embeddings, targets)
    residual = head.predict_proba(embeddings) - targets
    # At the optimum the bias is free and the penalty balances the residuals.
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=0.02)
    gradient = residual.T @ embeddings
    scale = 2.0 if n_classes == 2 else 1.0  # two classes share one penalised vector
    np.testing.assert_allclose(gradient, -scale * head.weights_, atol=0.02)


def test_certain_soft_labels_are_hard_labels():
    embeddings, gold = blobs(3)
    hard = LinearHead(3).fit(embeddings, gold)
    soft = LinearHead(3, labels="soft").fit(embeddings, np.eye(3)[gold])
    np.testing.assert_allclose(soft.weights_, hard.weights_, rtol=1e-4, atol=1e-5)


def test_a_class_without_items_is_never_predicted():
    embeddings, gold = blobs(2)
    head = LinearHead(4).fit(embeddings, np.where(gold == 0, 1, 3))
    found = head.predict_proba(embeddings)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found[:, [0, 2]], 0)
    soft = np.zeros((len(gold), 4))
    soft[:, [1, 3]] = np.eye(2)[gold]
    assert (LinearHead(4, labels="soft").fit(embeddings, soft).bias_[[0, 2]] == -np.inf).all()
    assert (found[:, [1, 3]].argmax(axis=1) == gold).mean() > 0.8


def test_one_class_is_not_enough():
    embeddings, _ = blobs(2, n=10)
    with pytest.raises(EpoxyError, match="two classes; there are items of 1"):
        LinearHead(2).fit(embeddings, np.zeros(10, dtype=int))
    with pytest.raises(EpoxyError, match="items of 0"):
        LinearHead(2).fit(embeddings[:0], np.zeros((0, 2)))
    with pytest.raises(EpoxyError, match="10 embeddings for 9 labels"):
        LinearHead(2).fit(embeddings, np.zeros(9, dtype=int))
    with pytest.raises(EpoxyError, match="probabilities of 3 classes for a head of 2"):
        LinearHead(2).fit(embeddings, np.full((10, 3), 1 / 3))
    with pytest.raises(EpoxyError, match="negative or not a number"):
        LinearHead(2).fit(embeddings, np.arange(10) % 2, np.full(10, np.nan))
    with pytest.raises(EpoxyError, match="items of 1"):
        LinearHead(2).fit(embeddings, np.arange(10) % 2, (np.arange(10) % 2).astype(float))


def test_saved_and_loaded_predicts_the_same(tmp_path):
    embeddings, gold = blobs(2)
    head = LinearHead(3, l2=2.0).fit(embeddings, gold)
    path = tmp_path / "head.safetensors"
    head.save(path, classes=["no", "yes", "später"], encoder="abc")
    loaded, classes = LinearHead.load(path, encoder="abc")
    assert classes == ["no", "yes", "später"]
    assert (loaded.n_classes, loaded.l2, loaded.labels) == (3, 2.0, "hard")
    np.testing.assert_array_equal(loaded.predict_proba(embeddings), head.predict_proba(embeddings))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["head.md", "head.safetensors"]


def test_a_head_of_another_encoder_or_no_head_at_all_is_refused(tmp_path):
    embeddings, gold = blobs(2)
    path = tmp_path / "head.safetensors"
    LinearHead(2).fit(embeddings, gold).save(path, classes=["a", "b"], encoder="abc")
    with pytest.raises(EpoxyError, match="embeddings of abc, not of xyz"):
        LinearHead.load(path, encoder="xyz")
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(EpoxyError, match="not a saved end model"):
        LinearHead.load(path)
    with pytest.raises(EpoxyError, match="not a saved end model"):
        LinearHead.load(tmp_path / "absent.safetensors")
