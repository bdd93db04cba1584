"""Clouds of items under weak labeling functions: a task with embeddings, in arrays."""

import numpy as np

from epoxy_core.end_model import assign_folds
from epoxy_core.label_model import DawidSkene, MajorityVote
from epoxy_core.refinement import Evidence

N, K, D, M = 900, 3, 12, 9


def make(seed=0, spread=0.5, share=(0.6, 0.25, 0.15)):
    """Three clouds, and nine LFs that vote one class each, rightly in two of three cases."""
    draw = np.random.default_rng(seed)
    truth = draw.choice(K, N, p=share).astype(np.int8)
    features = np.eye(K, D)[truth] + draw.normal(0, spread, (N, D))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    votes = np.full((N, M), -1, np.int8)
    for lf in range(M):
        mine = lf % K
        likely = np.where(truth == mine, 0.3, 0.07)
        votes[draw.random(N) < likely, lf] = mine
    keys = [f"{seed}-{row}" for row in range(N)]
    evidence = Evidence(
        features.astype(np.float32),
        votes,
        None,
        assign_folds(keys),
        np.arange(N) < 700,
        np.full(N, -1, np.int8),
    )
    return evidence, truth


def label_model(votes, strength):
    return DawidSkene(K).fit(votes, strength).predict_proba(votes, strength)


def majority(votes, strength):
    return MajorityVote(K).fit(votes, strength).predict_proba(votes, strength)
