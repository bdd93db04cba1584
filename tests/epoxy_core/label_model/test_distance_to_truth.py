"""How far label models are from the best anyone could do, on synthetic votes.

`GAPS` holds what is allowed between the accuracy of a model, the class balance known, and that of
the posterior of the true parameters. Tighten it as models improve.
"""

import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, sample, sequence_ids, true_posterior, with_chain
from epoxy_core.evaluation import calibration_error
from epoxy_core.label_model import DawidSkene, make_label_model
from epoxy_core.label_model.chain import TemporalChain

CLASSES = (2, 4, 10)
GAPS = {
    "majority_vote": {
        "both_class": (0.06, 0.04, 0.025),
        "mixed": (0.025, 0.035, 0.04),
        "one_class": (0.02, 0.02, 0.03),
    },
    "triplets": {
        "both_class": (0.015, 0.04, 0.025),
        "mixed": (0.04, 0.05, 0.04),
        "one_class": (0.02, 0.02, 0.03),
    },
    "dawid_skene": {
        "both_class": (0.01, 0.01, 0.01),
        "mixed": (0.005, 0.01, 0.01),
        "one_class": (0.005, 0.01, 0.015),
    },
    "auto": {
        "both_class": (0.01, 0.01, 0.01),
        "mixed": (0.005, 0.01, 0.01),
        "one_class": (0.005, 0.01, 0.015),
    },
    "chain of single items": {
        "both_class": (0.01, 0.01, 0.01),
        "mixed": (0.01, 0.01, 0.015),
        "one_class": (0.01, 0.015, 0.08),
    },
}


def accuracy(probabilities, truth):
    return (probabilities.argmax(axis=1) == truth).mean()


def gap(method, parameters, n=8000, seed=1):
    """Accuracy lost against the true parameters."""
    votes, truth = sample(parameters, n, seed)
    balance = list(parameters.class_balance)
    if method.startswith("chain"):
        ids = sequence_ids(parameters, n)
        model = TemporalChain(parameters.n_classes, balance).fit(votes, ids)
        found = model.predict_proba(votes, ids)
    else:
        found = make_label_model(method, parameters.n_classes, balance).fit(votes)
        found = found.predict_proba(votes)
    return accuracy(true_posterior(parameters, votes), truth) - accuracy(found, truth)


@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", GAPS)
def test_accuracy_is_near_that_of_the_true_parameters(method, kind, n_classes):
    allowed = GAPS[method][kind][CLASSES.index(n_classes)]
    assert gap(method, KINDS[kind](n_classes)) <= allowed


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_uses_the_order(kind, n_classes):
    assert gap("chain", with_chain(KINDS[kind](n_classes), persistence=0.5)) <= 0.01
    apart = with_chain(KINDS[kind](n_classes), persistence=0.5)
    votes, truth = sample(apart, 8000, 1)
    best = np.mean(accuracy(true_posterior(apart, votes), truth))
    single = TemporalChain(n_classes).fit(votes, np.arange(8000))
    assert accuracy(single.predict_proba(votes, np.arange(8000)), truth) < best - 0.05


@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("kind", ["mixed", "one_class"])
def test_the_class_balance_is_learned_where_votes_tell_it(kind, n_classes):
    parameters = KINDS[kind](n_classes)
    votes, truth = sample(parameters, 8000, 1)
    model = DawidSkene(n_classes).fit(votes)
    assert model.abstention_.informative
    np.testing.assert_allclose(model.class_balance_, parameters.class_balance, atol=0.05)
    best = accuracy(true_posterior(parameters, votes), truth)
    assert best - accuracy(model.predict_proba(votes), truth) <= 0.02


@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["triplets", "dawid_skene", "auto"])
def test_posteriors_are_calibrated(method, kind, n_classes):
    parameters = KINDS[kind](n_classes)
    votes, truth = sample(parameters, 8000, 1)
    balance = list(parameters.class_balance)
    model = make_label_model(method, n_classes, balance).fit(votes)
    found = calibration_error(model.predict_proba(votes), truth)
    assert found <= (0.13 if method == "triplets" else 0.025)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_unrelated_moves_nothing(kind, n_classes):
    """A fifth more items, of the same or another kind: labels and accuracies stay."""
    parameters = KINDS[kind](n_classes)
    votes, _ = sample(parameters, 8000, 1)
    alone = make_label_model("auto", n_classes, list(parameters.class_balance)).fit(votes)
    before = alone.predict_proba(votes)
    for other in (parameters, KINDS[kind](n_classes, seed=9)):
        more, _ = sample(other, 1600, 2)
        model = make_label_model("auto", n_classes, list(parameters.class_balance))
        after = model.fit(np.concatenate([votes, more])).predict_proba(votes)
        assert np.abs(after - before).mean() < 0.03
        sure = before.max(axis=1) > 0.7
        assert (after.argmax(axis=1) != before.argmax(axis=1))[sure].mean() < 0.01


@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
def test_estimated_accuracies_are_near_the_true_ones(kind, n_classes):
    parameters = KINDS[kind](n_classes)
    votes, truth = sample(parameters, 8000, 1)
    model = DawidSkene(n_classes, list(parameters.class_balance)).fit(votes)
    right = [(cast[cast >= 0] == truth[cast >= 0]).mean() for cast in votes.T]
    assert np.abs(model.accuracy_ - right).mean() <= 0.03
