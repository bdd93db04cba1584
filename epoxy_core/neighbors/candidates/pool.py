"""The best candidates of every item so far."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.formats import Array
from epoxy_core.threads import by_rows

NOBODY = -1
"""In place of a neighbour or candidate, where there are fewer than asked for."""

_LEAST, _MOST = 4, 28  # candidates that come in before the best are chosen
_WORTH_A_THREAD = 4096  # rows

NO_NUMBERS = np.empty(0, dtype=np.int64)
_NO_HOMES = np.empty(0, dtype=np.uint16)
_NO_CELLS = np.empty((0, 0), dtype=np.uint16)


class Best(NamedTuple):
    """The best candidates of some items.

    Attributes
    ----------
    rows
        int32 [s, c], the most similar first; −1 after the last.
    left_out
        float32 [s], what nobody who was left out exceeds; −∞ where nobody was.
    """

    rows: npt.NDArray[np.int32]
    left_out: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pools of candidates, from which the best are chosen whenever they are full.

    That takes less than keeping each in order: most that come in early fall out again.

    Attributes
    ----------
    width
        How many are kept of each.
    pool
        int64 [s, > width], rough similarity and row as one number; see `kernels`.
    used
        int32 [s], how many there are.
    worst
        float32 [s], what a newcomer has to exceed, in the unit of the number format; −∞ as long
        as nobody was thrown out.
    """

    width: int
    pool: npt.NDArray[np.int64]
    used: npt.NDArray[np.int32]
    worst: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, slots: int, width: int) -> "Candidates":
        """No candidates of anyone."""
        spare = min(max(width, _LEAST), _MOST)
        return cls(
            width,
            np.empty((slots, width + spare), dtype=np.int64),
            np.zeros(slots, dtype=np.int32),
            np.full(slots, -np.inf, dtype=np.float32),
        )

    def enter(
        self,
        tile: Array,
        slots: npt.NDArray[np.int32],
        owners: npt.NDArray[np.int32],
        columns: npt.NDArray[np.int32],
        *,
        both: bool,
        apart: npt.NDArray[np.int64] = NO_NUMBERS,
        homes: npt.NDArray[np.uint16] = _NO_HOMES,
        probed: npt.NDArray[np.uint16] = _NO_CELLS,
    ) -> None:
        """Take in what is good enough of a tile; see `kernels.keep`."""
        from epoxy_core.neighbors.candidates.kernels import keep

        pools = self.pool, self.used, self.worst, self.width
        keep(tile, slots, owners, columns, both, apart, homes, probed, *pools)

    def best(self) -> Best:
        """Choose the best; the others are thrown out."""
        from epoxy_core.neighbors.candidates.kernels import rank

        rows = np.empty((len(self.used), self.width), dtype=np.int32)
        pools = self.pool, self.used, self.worst, self.width
        by_rows(
            len(rows), lambda first, last: rank(*pools, first, last, rows), least=_WORTH_A_THREAD
        )
        return Best(rows, self.worst)
