"""Extension: abstaining items borrow the vote of their nearest supporter (Epoxy)."""

from epoxy_core.extension.calibration import BorrowedVoteCalibration
from epoxy_core.extension.extend import ExtendedVotes, extend_votes
from epoxy_core.extension.incremental import extend_again
from epoxy_core.extension.nearest import Nearest, nearest_in
from epoxy_core.extension.neighbors import NOBODY, NeighborGraph, neighbor_graph
from epoxy_core.extension.propagation import propagate
from epoxy_core.extension.scope import BorrowFrom, Scope
from epoxy_core.extension.thresholds import dev_threshold
from epoxy_core.extension.unrelated import random_similarity

__all__ = [
    "NOBODY",
    "BorrowFrom",
    "BorrowedVoteCalibration",
    "ExtendedVotes",
    "Nearest",
    "NeighborGraph",
    "Scope",
    "dev_threshold",
    "extend_again",
    "extend_votes",
    "nearest_in",
    "neighbor_graph",
    "propagate",
    "random_similarity",
]
