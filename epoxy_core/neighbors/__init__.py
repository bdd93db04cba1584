"""Neighbours: the items most similar to every item, whatever any heuristic says of them."""

from epoxy_core.neighbors.candidates.pool import NOBODY
from epoxy_core.neighbors.engines import usual_recall
from epoxy_core.neighbors.graph import NeighborGraph, neighbor_graph
from epoxy_core.neighbors.scope import BorrowFrom, Scope
from epoxy_core.neighbors.unrelated import random_similarity
from epoxy_core.neighbors.update import updated_graph

__all__ = [
    "NOBODY",
    "BorrowFrom",
    "NeighborGraph",
    "Scope",
    "neighbor_graph",
    "random_similarity",
    "updated_graph",
    "usual_recall",
]
