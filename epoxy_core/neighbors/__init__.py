"""Neighbours: the items most similar to every item, whatever any heuristic says of them."""

from epoxy_core.neighbors.graph import NOBODY, NeighborGraph, neighbor_graph
from epoxy_core.neighbors.scope import BorrowFrom, Scope
from epoxy_core.neighbors.unrelated import random_similarity

__all__ = [
    "NOBODY",
    "BorrowFrom",
    "NeighborGraph",
    "Scope",
    "neighbor_graph",
    "random_similarity",
]
