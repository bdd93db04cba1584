import numpy as np
import pytest

from epoxy_core.end_model import (
    LinearHead,
    Scaling,
    fit_calibration,
    out_of_fold,
    sharpen,
)
from epoxy_core.errors import EpoxyError
from epoxy_core.evaluation import calibration_error


def labelled(flatness, n=3000, n_classes=3, seed=0):
    """Embeddings, gold, coverage and a posterior that is right as often as it says, flattened."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, n_classes, n)
    centres = generator.normal(size=(n_classes, 16))
    vectors = centres[gold] + 0.9 * generator.normal(size=(n, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Gaussian evidence: logits of mean m·onehot and spread √m give exactly calibrated softmaxes.
    m = 1.5
    evidence = m * np.eye(n_classes)[gold] + np.sqrt(m) * generator.normal(size=(n, n_classes))
    posterior = Scaling().apply(evidence)
    covered = generator.random(n) < 0.8
    return vectors.astype(np.float32), gold, covered, Scaling(flatness).rescale(posterior)


@pytest.mark.parametrize("flatness", [5.0, 0.3])
def test_a_distorted_posterior_is_mended_without_labels(flatness):
    vectors, gold, covered, posterior = labelled(flatness)
    judge = out_of_fold(
        lambda: LinearHead(3, labels="soft"), vectors, posterior, covered.astype(float)
    )
    mended, scaling = sharpen(posterior, judge, covered)
    assert scaling.temperature == pytest.approx(1 / flatness, rel=0.35)
    np.testing.assert_array_equal(mended.argmax(axis=1), posterior.argmax(axis=1))
    before = calibration_error(posterior[covered], gold[covered])
    after = calibration_error(mended[covered], gold[covered])
    assert after < 0.07 < 0.15 < before


def test_uncovered_items_have_no_say():
    vectors, _, covered, posterior = labelled(2.0)
    judge = out_of_fold(lambda: LinearHead(3, labels="soft"), vectors, posterior)
    other = judge.copy()
    other[~covered] = other[~covered][:, ::-1]
    assert sharpen(posterior, judge, covered)[1] == sharpen(posterior, other, covered)[1]
    with pytest.raises(EpoxyError, match="arrays of 3000, 2999, 3000 items"):
        sharpen(posterior, judge[:-1], covered)


def test_a_flat_head_is_calibrated_by_gold_or_else_by_labels():
    vectors, gold, covered, posterior = labelled(4.0, n=4000)
    test = slice(3000, None)
    test_vectors, test_gold = vectors[test], gold[test]
    vectors, gold, covered, posterior = (a[:3000] for a in (vectors, gold, covered, posterior))
    weight = covered.astype(float)
    head = LinearHead(3, labels="soft").fit(vectors, posterior, weight)
    outside = out_of_fold(lambda: LinearHead(3, labels="soft"), vectors, posterior, weight)
    before = calibration_error(head.predict_proba(test_vectors), test_gold)
    by_labels = (outside[covered], posterior[covered].argmax(axis=1))
    by_gold = (outside[~covered], gold[~covered])
    few = (by_gold[0][:19], by_gold[1][:19])
    found = {
        "labels": fit_calibration(gold=few, labels=by_labels),
        "gold": fit_calibration(gold=by_gold, labels=by_labels),
    }
    # Labels that are wrong a third of the time keep it from being as sure as it may be.
    for source, share in (("labels", 0.7), ("gold", 0.1)):
        assert found[source].source == source
        head.scaling_ = found[source].scaling
        after = calibration_error(head.predict_proba(test_vectors), test_gold)
        assert after < share * before
    assert found["labels"].n_items == covered.sum()
    assert found["labels"].scaling.bias == ()
    assert len(found["gold"].scaling.bias) == 3


def test_nothing_to_calibrate_by():
    assert fit_calibration() == (Scaling(), "none", 0)
    few = (np.full((5, 2), 0.5), np.zeros(5, dtype=int))
    assert fit_calibration(gold=few).source == "none"
    twenty = (np.full((20, 2), 0.5), np.zeros(20, dtype=int))
    assert fit_calibration(gold=twenty).scaling.bias == ()
