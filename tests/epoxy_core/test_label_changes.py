"""Causes of a change: against a naive count, and against what the label model says."""

import numpy as np
import polars as pl
import pytest

from epoxy_core.combine import Reach, VoteMatrices, combine
from epoxy_core.label_changes import (
    CastVotes,
    Evidence,
    cause_counts,
    causes,
    describe,
    examples,
    flip_counts,
    margins,
)
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task


def some_votes(rng, n, m, n_classes, coverage=0.3, reach=0.4, kind="plain"):
    gold = rng.integers(0, n_classes, n)
    right = rng.random((n, m)) < np.linspace(0.95, 0.65, m)
    votes = np.where(right, gold[:, None], rng.integers(0, n_classes, (n, m))).astype(np.int8)
    own = rng.random((n, m)) < coverage
    borrowed = ~own & (rng.random((n, m)) < reach)
    votes[~own & ~borrowed] = -1
    similarity = np.where(borrowed, rng.uniform(0.3, 1, (n, m)), np.nan).astype(np.float32)
    similarity[own] = 1
    if kind == "plain":
        return CastVotes(votes, similarity, own)
    # The second half of the LFs votes against the next class, and all have their doubts.
    against = (votes >= 0) & (np.arange(m) >= m // 2)
    votes = np.where(against, (votes + 1) % n_classes + n_classes, votes).astype(np.int8)
    claims = rng.uniform((n_classes - 1) / n_classes, 1, (n, m)).astype(np.float32)
    return CastVotes(votes, similarity, own, np.where(votes >= 0, claims, np.float32(1)))


def fractions(cast, i, j, k):
    """A vote as {symbol: fraction of a vote}."""
    vote, claim = int(cast.votes[i, j]), 1 if cast.strength is None else float(cast.strength[i, j])
    if vote >= k:
        return {vote: claim, vote - k: 1 - claim}
    return {v: claim if v == vote else (1 - claim) / (k - 1) for v in range(k)}


@pytest.mark.parametrize("kind", ["plain", "soft"])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_margins_are_those_of_a_naive_count(hard, seed, kind):
    rng = np.random.default_rng(seed)
    n, m, k = 60, 5, int(rng.integers(2, 5))
    cast = some_votes(rng, n, m, k, kind=kind)
    s = k if kind == "plain" else 2 * k
    grids = [np.sort(rng.uniform(0.2, 1, 9)) for _ in range(m)]
    curves = [np.sort(rng.uniform(0, 3, 9)) for _ in range(m)]
    own, silence = rng.normal(size=(m, s, k)), rng.normal(size=(m, k))
    silence[::2] = 0
    evidence = Evidence(own, silence, rng.uniform(0.3, 0.9, m), grids, curves, hard)
    winner = rng.integers(0, k, n)
    loser = (winner + rng.integers(1, k, n)) % k
    expected = np.zeros((n, m))
    for i in range(n):
        counts = cast.own[i] | (cast.similarity[i] >= evidence.thresholds)
        for j in range(m if counts.any() else 0):
            vote, near = cast.votes[i, j], cast.similarity[i, j]
            added = np.zeros(k)
            if not (cast.own[i, j] or (hard and counts[j])):
                added += evidence.silence[j]
            if cast.own[i, j] or (hard and near >= evidence.thresholds[j]):
                for v, part in fractions(cast, i, j, k).items():
                    added = added + part * evidence.own[j, v]
            elif vote >= 0 and near >= evidence.thresholds[j] and not cast.own[i].any():
                accuracy = np.interp(near, grids[j], 1 / (1 + (k - 1) * np.exp(-curves[j])))
                right = (k - 2 + accuracy) / (k - 1)  # of a vote against a class
                for v, part in fractions(cast, i, j, k).items():
                    if v < k:
                        added[v] += part * np.log(accuracy * (k - 1) / (1 - accuracy))
                    else:
                        added[v - k] -= part * np.log(right / ((k - 1) * (1 - right)))
            expected[i, j] = added[winner[i]] - added[loser[i]]
    np.testing.assert_allclose(margins(evidence, cast, winner, loser), expected, atol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "soft"])
@pytest.mark.parametrize("weighting", ["calibrated", "hard"])
@pytest.mark.parametrize("method", ["dawid_skene", "triplets"])
def test_contributions_add_up_to_the_change_of_the_log_odds(method, weighting, kind):
    rng = np.random.default_rng(3)
    n, m, k = 3000, 6, 3
    task = Task(
        name="t",
        source=TextSource(paths="x.csv"),
        classes=list("abc"),
        label_model={"method": method, "class_balance": "uniform"},
        extension={"weighting": weighting},
    )
    before = some_votes(rng, n, m, k, coverage=0.15, kind=kind)
    other = some_votes(rng, n, m, k, coverage=0.15, kind=kind)
    fields = ("votes", "similarity", "own") + (("strength",) if kind == "soft" else ())
    after = CastVotes(
        *(
            np.where(np.arange(m) == 2, new, old)
            for new, old in ((getattr(other, name), getattr(before, name)) for name in fields)
        )
    )
    combined, evidence = {}, {}
    for name, cast in (("before", before), ("after", after)):
        own = np.where(cast.own, cast.votes, np.int8(-1))
        found = combine(
            task,
            VoteMatrices(own, cast.votes, cast.similarity, cast.strength),
            Reach(np.full(m, 0.2), np.ones(m, np.bool_), 0.2),
            np.full(n, -1, np.int8),
        )
        combined[name] = found
        evidence[name] = Evidence(
            found.evidence,
            found.silence,
            found.thresholds,
            [found.grid] * m,
            found.curves,
            weighting == "hard",
        )
    labels = {name: found.extended.argmax(axis=1) for name, found in combined.items()}
    flipped = np.flatnonzero(labels["before"] != labels["after"])
    assert len(flipped) > 50
    old, new = labels["before"][flipped], labels["after"][flipped]

    def of_flipped(cast):
        return CastVotes(*(getattr(cast, name)[flipped] for name in fields))

    contributions = margins(evidence["after"], of_flipped(after), new, old)
    contributions -= margins(evidence["before"], of_flipped(before), new, old)

    def log_odds(name):
        log = np.log(combined[name].extended[flipped])
        rows = np.arange(len(flipped))
        return log[rows, new] - log[rows, old]

    change = log_odds("after") - log_odds("before")
    np.testing.assert_allclose(contributions.sum(axis=1), change, atol=1e-8)
    assert (contributions.argmax(axis=1) == 2).mean() > 0.5


def test_causes_come_in_order_without_the_negligible():
    found = causes(["a", "b", "c"], np.array([[0.5, 2, -1], [0, 1e-7, 0], [-3, 0, -1e-3]]))
    assert found.to_list() == [
        [
            {"lf": "b", "contribution": 2.0},
            {"lf": "a", "contribution": 0.5},
            {"lf": "c", "contribution": -1.0},
        ],
        [],
        [{"lf": "c", "contribution": -1e-3}, {"lf": "a", "contribution": -3.0}],
    ]
    assert describe(found[0].to_list()) == "b +2.00, a +0.50, c −1.00"
    assert describe(found[0].to_list(), most=1) == "b +2.00 and 2 more"
    assert causes([], np.zeros((2, 0))).to_list() == [[], []]


def test_counts_and_examples():
    changes = pl.DataFrame(
        {
            "item_id": ["1", "2", "3", "4"],
            "label_before": ["x", "x", None, "y"],
            "label_after": ["y", "y", "x", None],
            "confidence_before": [0.6, 0.9, None, 0.99],
            "confidence_after": [0.7, 0.8, 0.9, None],
        }
    ).with_columns(causes(["a", "b"], np.array([[1, -1], [2, 1], [0, 3], [-1, 0]])))
    assert flip_counts(changes).rows() == [("x", "y", 2), (None, "x", 1), ("y", None, 1)]
    assert cause_counts(changes).rows() == [("a", 2, 2, 1), ("b", 1, 2, 1)]
    assert examples(changes, 3)["item_id"].to_list() == ["2", "1", "4"]
    assert cause_counts(changes.head(0)).height == 0
