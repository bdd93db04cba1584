"""From votes to probabilities as a task asks: the label model, and what it is fed."""

from epoxy_core.combine.combined import Combined
from epoxy_core.combine.fit import combine, fit_posterior
from epoxy_core.combine.settings import class_balance, dependency_pairs
from epoxy_core.combine.votes import Reach, VoteMatrices

__all__ = [
    "Combined",
    "Reach",
    "VoteMatrices",
    "class_balance",
    "combine",
    "dependency_pairs",
    "fit_posterior",
]
