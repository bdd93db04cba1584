"""Votes combined as a small task asks, for several tests."""

import numpy as np

from epoxy_core.combine import Reach, VoteMatrices, combine
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task

NAMES = tuple(f"lf_{i}" for i in range(10))


def task(k=4, **label_model):
    classes = [f"class {i}" for i in range(k)]
    return Task(
        name="t", source=TextSource(paths="x.csv"), classes=classes, label_model=label_model
    )


def combined(votes, settings, gold=None):
    m = votes.shape[1]
    similarity = np.where(votes >= 0, 1, np.nan).astype(np.float32)
    gold = np.full(len(votes), -1, np.int8) if gold is None else gold
    matrices = VoteMatrices(votes, votes, similarity, names=NAMES[:m])
    return combine(settings, matrices, Reach(np.full(m, 0.5), np.ones(m, np.bool_), 0.2), gold)


def said(found):
    return {choice.stage: choice for choice in found.choices}


def first(gold, n):
    return np.where(np.arange(len(gold)) < n, gold, -1).astype(np.int8)
