"""What the label model is fed: votes, and how far they were lent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.in_order import ItemOrder

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class VoteMatrices:
    """Own and borrowed votes of all labeling functions, one column each.

    Attributes
    ----------
    own
        int8 [n, m]: votes of the LFs themselves.
    extended
        int8 [n, m]: own votes, and candidates to borrow.
    similarity
        float32 [n, m]: of the item whose vote it is; 1 for an own vote, NaN for an abstain.
    strength
        float32 [n, m]: the LF's own probability of the extended votes, 1 for a plain vote and an
        abstain; None where no vote is soft.
    names
        The LFs' names; none needed where no setting or message names one.
    order
        Which items follow one another; None if that is not known.
    """

    own: Votes
    extended: Votes
    similarity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()
    order: ItemOrder | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far each LF's votes were lent.

    Attributes
    ----------
    least
        float64 [m]: no candidate is less similar than this.
    label_free
        bool [m]: whether the threshold is still to be found, from how borrowed votes agree.
    floor
        Similarity of unrelated items.
    """

    least: Floats
    label_free: npt.NDArray[np.bool_]
    floor: float
