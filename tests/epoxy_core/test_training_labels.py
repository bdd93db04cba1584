"""Labels to train with, as a task asks for them."""

from dataclasses import replace

import numpy as np
import pytest
from clouds import K, N, label_model, make

from epoxy_core.evaluation import calibration_error
from epoxy_core.neighbors import neighbor_graph
from epoxy_core.refinement import PLAIN, REFINED, refine
from epoxy_core.settings import TrainingSet
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task
from epoxy_core.training_labels import training_labels


def labels(evidence, hand=None, **settings):
    task = Task(
        name="clouds",
        source=TextSource(paths=["-"]),
        classes=["a", "b", "c"],
        training_set=TrainingSet(**settings),
    )
    own = label_model(evidence.votes, None)
    graph = neighbor_graph(evidence.features, 10)
    hand = evidence.gold if hand is None else hand
    return training_labels(task, evidence, hand, own, graph, label_model, None)


def hand_labels(truth, n=100):
    hand = np.full(N, -1, np.int8)
    hand[700 : 700 + n] = truth[700 : 700 + n]
    return hand


def test_the_setting_decides():
    evidence, _ = make()
    always, never = labels(evidence, refine="always"), labels(evidence, refine="never")
    assert (always.method, never.method) == (REFINED, PLAIN)
    assert always.choice.reason == "training_set.refine is always."
    np.testing.assert_allclose(always.found.posterior, refine(evidence, K).posterior, atol=1e-9)
    assert not set(np.unique(never.found.targets)) - {0.0, 1.0}
    kept = (never.found.weight > 0).sum() / evidence.weak.sum()
    assert kept == pytest.approx(0.8, abs=0.01)


def test_a_share_of_the_refined_labels():
    evidence, _ = make()
    half = labels(evidence, refine="always", keep=0.5)
    assert (half.found.weight > 0).sum() / evidence.weak.sum() == pytest.approx(0.5, abs=0.02)


def test_too_few_items_keep_the_label_models_labels():
    evidence, _ = make()
    few = evidence.only(np.arange(15))
    made = labels(few, refine="always")
    assert made.method == PLAIN
    assert "Too few items" in made.choice.reason
    assert made.found.weight.any()


def test_hand_labels_calibrate_even_if_they_are_held_out():
    before, after = [], []
    for seed in range(3):
        evidence, truth = make(seed, spread=0.8)
        rest = np.r_[0:700, 800:N]
        blind = labels(evidence, refine="always").found
        calibrated = labels(evidence, hand_labels(truth), refine="always").found
        np.testing.assert_allclose(blind.targets, calibrated.targets, atol=1e-9)
        np.testing.assert_array_equal(
            blind.posterior.argmax(axis=1), calibrated.posterior.argmax(axis=1)
        )
        before.append(calibration_error(blind.posterior[rest], truth[rest]))
        after.append(calibration_error(calibrated.posterior[rest], truth[rest]))
    assert np.mean(after) < 0.7 * np.mean(before)


def test_hand_labels_are_trained_on():
    evidence, truth = make()
    hand = hand_labels(truth)
    made = labels(replace(evidence, gold=hand))
    assert (made.found.weight[700:800] > 0).all()
    np.testing.assert_array_equal(made.found.targets[700:800].argmax(axis=1), truth[700:800])
