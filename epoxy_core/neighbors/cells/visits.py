"""Items cell by cell, and who visits which cell."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Items in the order of their cells, and who probes which.

    Attributes
    ----------
    order
        int64 [n], the items, cell by cell; places in this order are meant below.
    start
        int64 [c + 1], where each cell's members begin.
    probed
        uint16 [n, p], the cells that each item probes, its own first; see `kernels.nearest`.
    visitors
        int32 [v], places of the items of other cells that probe a cell, cell by cell, ascending.
    first
        int64 [c + 1], where each cell's visitors begin.
    """

    order: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    probed: npt.NDArray[np.uint16]
    visitors: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]

    @classmethod
    def of(cls, probed: npt.NDArray[np.uint16], count: int) -> "Visits":
        """Sort items into ``count`` cells: by item, the cells they probe, their own first."""
        from epoxy_core.neighbors.cells.kernels import visitors

        order = np.argsort(probed[:, 0], kind="stable")  # so short a type is sorted by radix
        probed = probed[order]
        start = np.searchsorted(probed[:, 0], np.arange(count + 1))
        first = np.zeros(count + 1, dtype=np.int64)
        found = visitors(probed, first)
        return cls(order, start, probed, found, first)

    @property
    def homes(self) -> npt.NDArray[np.uint16]:
        """The cell of each place, uint16 [n]."""
        return np.ascontiguousarray(self.probed[:, 0])
