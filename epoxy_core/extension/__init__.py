"""Extension: abstaining items borrow the vote of their nearest supporter (Epoxy)."""

from epoxy_core.extension.calibration import BorrowedVoteCalibration
from epoxy_core.extension.extend import ExtendedVotes, extend_votes, random_similarity
from epoxy_core.extension.incremental import extend_again
from epoxy_core.extension.neighbors import Nearest, NeighborGraph, nearest_in, neighbor_graph
from epoxy_core.extension.propagation import propagate
from epoxy_core.extension.thresholds import dev_threshold

__all__ = [
    "BorrowedVoteCalibration",
    "ExtendedVotes",
    "Nearest",
    "NeighborGraph",
    "dev_threshold",
    "extend_again",
    "extend_votes",
    "nearest_in",
    "neighbor_graph",
    "propagate",
    "random_similarity",
]
