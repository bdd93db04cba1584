"""From which items an item may borrow votes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

BorrowFrom = Literal["any", "same_sequence", "other_sequences"]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Items in sequences (videos, conversations), and whether votes cross from one to another.

    Attributes
    ----------
    sequences
        int64 [n], the sequence of each item.
    borrow_from
        Any item, only those of the same sequence, or only those of others.
    """

    sequences: npt.NDArray[np.int64]
    borrow_from: BorrowFrom = "any"

    @property
    def within(self) -> bool:
        """Whether only items of the same sequence lend."""
        return self.borrow_from == "same_sequence"

    @property
    def across(self) -> bool:
        """Whether only items of other sequences lend."""
        return self.borrow_from == "other_sequences"

    def places(self, rows: npt.NDArray[np.integer]) -> dict[int, npt.NDArray[np.intp]]:
        """Where in ``rows`` the items of each sequence are, ascending."""
        order = np.argsort(self.sequences[rows], kind="stable")
        names, first = np.unique(self.sequences[rows][order], return_index=True)
        return dict(zip(names.tolist(), np.split(order, first)[1:], strict=True))
