"""Labels refined by a classifier: better than the votes', honest about hand labels, repeatable."""

from dataclasses import replace

import numpy as np
import pytest
from clouds import K, N, label_model, majority, make

from epoxy_core.end_model import assign_folds
from epoxy_core.neighbors import neighbor_graph
from epoxy_core.refinement import (
    MAJORITY,
    REFINED,
    Evidence,
    as_they_are,
    choose_labels,
    held_out_lift,
    kept_labels,
    refine,
    unrefined,
)
from epoxy_core.refinement.joint import _thinned


def accuracy(probabilities, truth, rows=slice(None)):
    return (probabilities.argmax(axis=1) == truth)[rows].mean()


@pytest.mark.parametrize("seed", range(3))
def test_votes_and_classifier_together_beat_either(seed):
    evidence, truth = make(seed)
    own = label_model(evidence.votes, None)
    found = refine(evidence, K)
    held_out = slice(700, None)
    assert accuracy(found.posterior, truth, held_out) > accuracy(own, truth, held_out) + 0.1
    assert accuracy(found.posterior, truth) >= accuracy(found.classifier, truth)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
    assert found.moved[-1] < found.moved[0]


def test_only_weak_and_hand_labelled_items_are_trained_on():
    evidence, truth = make()
    gold = np.full(N, -1, np.int8)
    gold[700:800] = truth[700:800]
    found = refine(replace(evidence, gold=gold), K)
    voted = (evidence.votes >= 0).any(axis=1)
    expected = (evidence.train & voted) | (gold >= 0)
    np.testing.assert_array_equal(found.weight > 0, expected)
    np.testing.assert_array_equal(found.targets[700:800], np.eye(K)[truth[700:800]])


def test_a_hand_label_does_not_decide_its_own_item():
    evidence, truth = make(spread=0.25)
    gold = np.full(N, -1, np.int8)
    gold[700:800] = truth[700:800]
    honest = refine(replace(evidence, gold=gold), K)
    sure = 700 + int(honest.posterior[700:800].max(axis=1).argmax())
    gold[sure] = (truth[sure] + 1) % K
    lied = refine(replace(evidence, gold=gold), K)
    assert lied.targets[sure].argmax() == gold[sure]
    assert lied.posterior[sure].argmax() == truth[sure]


def test_hand_labels_help():
    gains = []
    for seed in range(4):
        evidence, truth = make(seed, spread=0.7)
        gold = np.where(evidence.train, np.int8(-1), truth)
        balance = list((np.bincount(truth[700:], minlength=K) + 1) / 203)
        label_model(evidence.votes, None)
        informed = refine(replace(evidence, gold=gold), K, balance).posterior
        blind = refine(evidence, K).posterior
        learned = slice(0, 700)
        gains.append(accuracy(informed, truth, learned) - accuracy(blind, truth, learned))
    assert np.mean(gains) > 0.01


def test_items_that_are_not_trained_on_change_nothing_for_others():
    evidence, _ = make()
    whole, part = refine(evidence, K), refine(evidence.only(np.arange(800)), K)
    np.testing.assert_allclose(whole.posterior[:800], part.posterior, atol=1e-6)


def test_the_same_twice():
    evidence, _ = make()
    one, other = refine(evidence, K), refine(evidence, K)
    np.testing.assert_allclose(one.posterior, other.posterior, atol=1e-9)


def test_many_rows_are_thinned_to_the_same_weight():
    weak = np.ones(50_001, dtype=bool)
    weak[:10] = False
    thinned = _thinned(np.where(weak, 1.0, 7.0), weak)
    assert np.count_nonzero(thinned[weak]) <= 25_000
    assert thinned[weak].sum() == pytest.approx(weak.sum(), rel=1e-3)
    assert (thinned[~weak] == 7).all()


def test_borrowed_labels_count_only_where_asked():
    evidence, _ = make()
    reached = np.ones(N, dtype=bool)
    assert replace(evidence, reached=reached).weak.sum() == 700
    assert not replace(evidence, reached=reached).of_lfs(np.array([], dtype=int)).weak.any()


def test_lift_rises_with_accuracy():
    evidence, truth = make()
    draw = np.random.default_rng(1)
    lifts = []
    for wrong in (0.0, 0.3, 1.0):
        noisy = np.where(draw.random(N) < wrong, draw.permutation(truth), truth)
        lifts.append(held_out_lift(evidence, lambda part, noisy=noisy: np.eye(K)[noisy]).mean())
    assert lifts[0] > lifts[1] > lifts[2]
    assert lifts[2] == pytest.approx(0, abs=0.05)


def test_lift_by_hand():
    votes = np.array([[0, 1]] * 6 + [[-1, 1]] * 4 + [[0, -1]] * 2, np.int8)
    n = len(votes)
    evidence = Evidence(
        np.ones((n, 2), np.float32),
        votes,
        None,
        assign_folds([str(row) for row in range(n)]),
        np.ones(n, bool),
        np.full(n, -1, np.int8),
    )
    labels = np.eye(2)[[0] * 3 + [1] * 9]  # 3 of 12 are of class 0
    found = held_out_lift(evidence, lambda part: labels)
    by_first = 3 / 8 - 3 / 12  # LF 0 votes 0 on eight items, three of which are labelled so
    by_second = 7 / 10 - 9 / 12
    assert sorted({round(value, 9) for value in found}) == sorted(
        {round(by_first, 9), round(by_second, 9)}
    )


def test_one_labeling_function_cannot_judge():
    evidence, _ = make()
    lone = evidence.of_lfs(np.array([0]))
    assert np.isnan(held_out_lift(lone, lambda part: np.ones((N, K)) / K)).all()


@pytest.mark.parametrize("n_hand", [0, 100])
def test_refined_labels_are_chosen_where_they_help(n_hand):
    evidence, truth = make()
    hand = np.full(N, -1, np.int8)
    hand[700 : 700 + n_hand] = truth[700 : 700 + n_hand]
    graph = neighbor_graph(evidence.features, 10)
    chosen, choice = choose_labels(evidence, hand, graph, label_model, majority, None, 0.8)
    assert chosen == REFINED == choice.chosen
    assert choice.scores[REFINED] > choice.scores[MAJORITY]
    assert ("100 dev labels" in choice.reason) == bool(n_hand)


def test_something_else_is_chosen_where_refining_misleads():
    evidence, truth = make(spread=0.25)
    hand = np.full(N, -1, np.int8)
    hand[700:] = truth[700:]
    wrong = [0.02, 0.02, 0.96]
    graph = neighbor_graph(evidence.features, 10)
    chosen, choice = choose_labels(evidence, hand, graph, label_model, majority, wrong, 0.8)
    assert chosen == choice.chosen != REFINED
    assert choice.scores[chosen] > choice.scores[REFINED] + 0.05
    assert "refining does not help" in choice.reason


def test_hand_labels_of_one_class_measure_all_the_same():
    evidence, truth = make()
    hand = np.where((truth == 0) & ~evidence.train, np.int8(0), np.int8(-1))
    assert np.count_nonzero(hand == 0) >= 50
    graph = neighbor_graph(evidence.features, 10)
    _, choice = choose_labels(evidence, hand, graph, label_model, majority, None, 0.8)
    assert REFINED in choice.scores
    assert "hand labels alone" not in choice.scores


@pytest.mark.parametrize("n_hand", [0, 100])
def test_large_sets_are_compared_on_a_sample(monkeypatch, n_hand):
    evidence, truth = make()
    hand = np.full(N, -1, np.int8)
    hand[700 : 700 + n_hand] = truth[700 : 700 + n_hand]
    graph = neighbor_graph(evidence.features, 10)
    seen = []

    def fit(votes, strength):
        seen.append(len(votes))
        return label_model(votes, strength)

    monkeypatch.setattr("epoxy_core.refinement.choose._SAMPLE", 300)
    # Embeddings and lexical vectors, joined, are no unit vectors, and are stored as float16.
    evidence = replace(evidence, features=(1.25 * evidence.features).astype(np.float16))
    chosen, choice = choose_labels(evidence, hand, graph, fit, majority, None, 0.8)
    assert set(seen) == {300 + n_hand - len(range(702, 700 + n_hand, 3))}
    assert chosen in choice.scores


def test_too_little_to_compare_by():
    evidence, _ = make()
    graph = neighbor_graph(evidence.features, 10)
    lone = evidence.of_lfs(np.array([0]))
    chosen, choice = choose_labels(lone, lone.gold, graph, label_model, majority, None, 0.8)
    assert chosen == REFINED
    assert choice.scores == {}


def test_unrefined_labels_are_the_votes_own():
    evidence, _ = make()
    own = label_model(evidence.votes, None)
    graph = neighbor_graph(evidence.features, 10)
    found = unrefined(evidence, own, graph, 0.5)
    trained = found.weight > 0
    np.testing.assert_array_equal(trained, kept_labels(evidence, own, graph, 0.5))
    assert 0.4 < trained.sum() / evidence.weak.sum() < 0.6
    np.testing.assert_array_equal(found.targets.argmax(axis=1), own.argmax(axis=1))
    everything = as_they_are(evidence, own, kept_labels(evidence, own, graph, 1.0))
    np.testing.assert_array_equal(everything.weight > 0, evidence.weak)
