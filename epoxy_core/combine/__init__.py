"""From votes to probabilities as a task asks: the label model, and what it is fed."""

from epoxy_core.combine.combined import ByPattern, Combined
from epoxy_core.combine.fit import combine, fit_posterior
from epoxy_core.combine.settings import class_balance, dependency_pairs
from epoxy_core.combine.votes import Reach, VoteColumns, VoteMatrices

__all__ = [
    "ByPattern",
    "Combined",
    "Reach",
    "VoteColumns",
    "VoteMatrices",
    "class_balance",
    "combine",
    "dependency_pairs",
    "fit_posterior",
]
