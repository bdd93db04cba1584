from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from epoxy_core.combine import Reach, VoteMatrices, combine
from epoxy_core.extension import extend_votes
from epoxy_core.labeling import keywords, lf_summary
from epoxy_core.lend import threshold_setting, typical_similarity
from epoxy_core.neighbors import neighbor_graph, random_similarity
from epoxy_core.session import Session
from epoxy_core.settings import Extension
from epoxy_core.task import Task

WORDS = ["sun", "rain", "wind", "snow", "ice", "fog", "heat", "cold"]
CLASSES = ["fair", "foul"]


@pytest.fixture(scope="module")
def world():
    """Items of a few words in clouds of vectors, by class."""
    draw = np.random.default_rng(0)
    n = 600
    gold = draw.integers(0, 2, n)
    likely = np.where(gold[:, None] == 0, [6, 1, 2, 1, 1, 1, 5, 1], [1, 6, 2, 4, 4, 3, 1, 5]) / 30
    said = draw.random((n, 8)) < likely
    texts = [" ".join(word for word, here in zip(WORDS, row, strict=True) if here) for row in said]
    vectors = np.eye(2, 12)[gold] + draw.normal(0, 0.4, (n, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = pl.DataFrame({"item_id": [f"{row:04d}" for row in range(n)], "text": texts})
    labels = np.where(np.arange(n) % 5 == 0, gold, -1).astype(np.int8)
    embeddings = vectors.astype(np.float32)
    return items, embeddings, neighbor_graph(embeddings, 7), labels


def lfs(**words):
    given = {"a": ["sun"], "b": ["rain"], "c": ["snow", "ice"], "d": ["heat"]} | words
    votes = {"a": "fair", "b": "foul", "c": "foul", "d": "fair", "e": "foul"}
    return [
        replace(keywords(name, votes[name], of), code_version=" ".join(of))
        for name, of in given.items()
        if of
    ]


def task(threshold="auto", weighting="calibrated"):
    extension = Extension(neighbors=7, threshold=threshold, weighting=weighting)
    return Task.model_validate(
        {"name": "t", "source": {"paths": "t.csv"}, "classes": CLASSES, "extension": extension}
    )


def from_scratch(world, settings, session):
    """Extended votes and what comes of all votes, from the session's own votes alone."""
    _, embeddings, graph, gold = world
    floor, own = random_similarity(embeddings), session.own_votes()
    extended, auto = [], []
    for name, votes in zip(session.columns, own.T, strict=True):
        setting = threshold_setting(settings, name)
        auto.append(setting == "auto")
        reach = (floor, typical_similarity(graph)) if auto[-1] else (float(setting), -1)
        extended.append(extend_votes(votes.copy(), graph, embeddings, *reach))
    return extended, combine(
        settings,
        VoteMatrices(
            own,
            np.stack([one.votes for one in extended], axis=1),
            np.stack([one.similarity for one in extended], axis=1),
            names=tuple(session.columns),
        ),
        Reach(
            np.array([column.lent.least for column in session.columns.values()]),
            np.array(auto),
            floor,
        ),
        gold,
        graph,
    )


@pytest.mark.parametrize("weighting", ["calibrated", "hard", "propagated"])
@pytest.mark.parametrize("threshold", ["auto", 0.6])
def test_every_edit_gives_what_a_start_from_scratch_gives(world, threshold, weighting):
    *_, gold = world
    settings, session = task(threshold, weighting), Session(*world)
    edits = [
        {},
        {"c": ["snow"]},
        {"c": ["snow", "ice", "cold"], "a": ["sun", "wind"]},
        {"e": ["fog"]},
        {"e": ["fog"], "b": []},
        {"b": ["rain"], "e": []},
    ]
    before = None
    for edit in edits:
        update = session.update(settings, lfs(**edit))
        extended, expected = from_scratch(world, settings, session)
        for column, one in zip(session.columns.values(), extended, strict=True):
            for name in ("votes", "source", "similarity"):
                found = getattr(column.lent.extended, name)
                np.testing.assert_array_equal(found, getattr(one, name))
        found = update.combined
        for name in ("majority", "own", "extended"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)
        for name in ("thresholds", "counted", "labels", "reached", "n_counted"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        summary = lf_summary(session.own_votes(), list(session.columns), CLASSES, gold)
        assert update.table.select(summary.columns).equals(summary)
        coverage = (found.counted >= 0).mean(axis=0)
        np.testing.assert_allclose(update.table["extended_coverage"], coverage)
        if before is not None:
            assert update.flipped.any()
            np.testing.assert_array_equal(update.labels_before, before[0])
            for name, was in before[2].items():  # what was shown before stays as it was
                np.testing.assert_array_equal(getattr(before[1], name), was)
        shown = ("majority", "own", "extended", "counted", "labels")
        copies = {name: getattr(found, name).copy() for name in shown}
        before = (found.labels.copy(), found, copies)


def test_what_changes_nothing_keeps_the_result(world):
    session = Session(*world)
    first = session.update(task(), lfs())
    again = session.update(task(), lfs(a=["sun", "no such word"]))
    assert again.voted == ("a",)
    assert not again.changed
    assert again.combined is first.combined
    assert not again.flipped.any()
