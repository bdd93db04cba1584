"""Whether items in order are labelled by their order."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.synthetic_votes import KINDS, both_class, sample, sequence_ids, with_chain
from epoxy_core.label_model import DawidSkene
from epoxy_core.label_model.in_order import ChainInOrder, ItemOrder
from epoxy_core.label_model.order_choice import order_choice


def chosen(votes, sequences, gold=None, *, given=False, balance=None, strength=None):
    order = ItemOrder(np.arange(len(votes)), sequences)
    judge = ChainInOrder(2, balance, order).fit(votes, strength)
    static = DawidSkene(2, balance).fit(votes, strength).predict_proba(votes, strength)
    chain = judge.predict_proba(votes, strength)
    gold = np.full(len(votes), -1, np.int8) if gold is None else gold.astype(np.int8)
    return order_choice(judge, chain, static, votes, strength, gold, given=given), chain, static


def drawn(n=3000, length=100, kind="both_class", **chain):
    parameters = with_chain(KINDS[kind](2), length=length, **chain)
    votes, truth = sample(parameters, n, 1)
    return votes, truth, sequence_ids(parameters, n), list(parameters.class_balance)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_that_persist_are_found_without_labels(kind):
    votes, truth, ids, balance = drawn(kind=kind, stay=0.9, persistence=0.5)
    choice, chain, static = chosen(votes, ids, balance=balance)
    assert choice.chosen == "chain"
    assert choice.measure == "log-likelihood per item of votes left out"
    assert choice.scores["chain"] > choice.scores["without order"] == 0
    assert not choice.warning
    assert ((chain.argmax(1) == truth).mean()) > (static.argmax(1) == truth).mean() + 0.03


def test_without_persistence_the_order_does_not_count():
    """Votes that hold for twenty items, in an order that mixes them."""
    votes, _, ids, balance = drawn(stay=0.95)
    mixed = np.random.default_rng(0).permutation(len(votes))
    choice, _, _ = chosen(votes[mixed], ids, balance=balance)
    assert choice.scores["chain"] < 0.01
    assert chosen(votes, ids, balance=balance)[0].scores["chain"] > 0.05
    few, _, ids, balance = drawn(n=300, stay=0.0)
    choice, _, _ = chosen(few, ids, balance=balance)
    assert choice.chosen == "without order"
    assert choice.scores["chain"] < 0
    told, _, _ = chosen(few, ids, balance=balance, given=True)
    assert told.chosen == "chain"
    assert "does no good" in told.warning


def test_a_sequence_that_goes_on_is_compared_as_many_short_ones_are():
    votes, _, ids, balance = drawn(stay=0.9)
    one, _, _ = chosen(votes, np.zeros_like(ids), balance=balance)
    many, _, _ = chosen(votes, ids, balance=balance)
    assert one.scores["chain"] == pytest.approx(many.scores["chain"], abs=0.02)


def test_soft_votes_are_compared_too():
    votes, _, ids, balance = drawn(stay=0.9)
    strength = np.full(votes.shape, 0.8, np.float32)
    choice, _, _ = chosen(votes, ids, balance=balance, strength=strength)
    assert choice.chosen == "chain"
    assert choice.scores["chain"] > 0.01


def test_what_persists_may_not_be_the_class():
    """LFs that say one thing through a scene, whatever the class: only hand labels tell."""
    n, draw = 3000, np.random.default_rng(3)
    parameters = replace(both_class(2), class_balance=np.array([0.5, 0.5]))
    votes, truth = sample(parameters, n, 3)
    scenes = np.arange(n) // 100
    for lf in range(0, 10, 2):
        stuck = (draw.random(30) < 0.6)[scenes] & (votes[:, lf] >= 0)
        votes[stuck, lf] = draw.integers(0, 2, 30)[scenes][stuck]
    blind, chain, static = chosen(votes, scenes)
    assert blind.chosen == "chain"
    right = [(each.argmax(1) == truth).mean() for each in (chain, static)]
    assert right[0] < right[1] - 0.05
    gold = np.where(draw.random(n) < 0.2, truth, -1)
    choice, _, _ = chosen(votes, scenes, gold)
    assert choice.chosen == "without order"
    assert "dev items with votes" in choice.measure
    assert choice.scores["chain"] < choice.scores["without order"]
    told, _, _ = chosen(votes, scenes, gold, given=True)
    assert told.chosen == "chain"
    assert told.warning


def test_hand_labels_on_items_without_votes_do_not_count():
    votes, truth, ids, balance = drawn(stay=0.9)
    votes[::3] = -1
    choice, chain, static = chosen(votes, ids, truth, balance=balance)
    voted = (votes >= 0).any(axis=1)
    right = [(each.argmax(1) == truth)[voted].mean() for each in (chain, static)]
    assert list(choice.scores.values()) == pytest.approx(right, abs=1e-3)
    assert choice.measure == f"accuracy on {voted.sum()} dev items with votes"


def test_too_few_items_to_tell():
    votes, _, _, balance = drawn(n=300, stay=0.9)
    alone, _, _ = chosen(votes, np.arange(300), balance=balance)
    assert (alone.chosen, alone.measure) == ("without order", "")
    assert "No item follows another" in alone.reason
    pairs, _, _ = chosen(votes[:80], np.arange(80) // 2, balance=balance)
    assert (pairs.chosen, pairs.measure) == ("chain", "")
    assert "40 items that follow another are too few" in pairs.reason
