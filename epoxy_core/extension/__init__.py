"""Extension: abstaining items borrow the vote of their nearest supporter (Epoxy)."""

from epoxy_core.extension.calibration import BorrowedVoteCalibration
from epoxy_core.extension.extend import ExtendedVotes, extend_again, extend_some, extend_votes
from epoxy_core.extension.nearest import Nearest, nearest_in, read_only
from epoxy_core.extension.propagation import propagate
from epoxy_core.extension.thresholds import dev_threshold

__all__ = [
    "BorrowedVoteCalibration",
    "ExtendedVotes",
    "Nearest",
    "dev_threshold",
    "extend_again",
    "extend_some",
    "extend_votes",
    "nearest_in",
    "propagate",
    "read_only",
]
