"""Candidates from products of all pairs, or of some rows with all, tile by tile in the cache."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.formats import Array, Format, single_threaded
from epoxy_core.threads import thread_count

NOBODY = -1
"""In place of a neighbour or candidate, where there are fewer than asked for."""

_SIDE = 1024  # of a tile, at most: its vectors and heaps stay in the cache
_WORTH_A_THREAD = 2048  # rows


@dataclass(frozen=True, slots=True, eq=False)
class Heaps:
    """The best candidates of every row so far, as heaps with the worst first.

    Attributes
    ----------
    keys
        float32 [n, c], rough similarities in the unit of their format; −inf where there is none.
    rows
        int32 [n, c]; −1 where there is none.
    worst
        float32 [n], the first keys.
    """

    keys: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int32]
    worst: npt.NDArray[np.float32]

    @classmethod
    def empty(cls, n: int, candidates: int) -> "Heaps":
        """Heaps without a candidate."""
        return cls(
            np.full((n, candidates), -np.inf, dtype=np.float32),
            np.full((n, candidates), NOBODY, dtype=np.int32),
            np.full(n, -np.inf, dtype=np.float32),
        )

    def enter(
        self,
        tile: Array,
        slots: npt.NDArray[np.int32],
        owners: npt.NDArray[np.int32],
        left: int,
        *,
        both: bool,
        distinct: bool = False,
        apart: npt.NDArray[np.int64],
    ) -> None:
        """Take in what is good enough of a tile; see `kernels.keep`."""
        from epoxy_core.neighbors.kernels import keep

        keep(tile, slots, owners, left, both, distinct, apart, self.worst, self.keys, self.rows)


def rounds(threads: int) -> list[list[tuple[int, int]]]:
    """Pairs of 2·threads blocks, in rounds in which no block comes twice.

    The circle method of tournaments: so threads may write to both blocks of a pair without locks.
    The first two rounds are of each block with itself.
    """
    last = 2 * threads - 1
    alone = [(block, block) for block in range(2 * threads)]
    plan = [alone[:threads], alone[threads:]]
    for turn in range(last):
        ring = [(turn + step) % last for step in range(last)]
        pairs = [(ring[step], ring[-step]) for step in range(1, threads)]
        plan.append([(ring[0], last), *pairs])
    return plan


def in_turn(plan: list[list[tuple[int, int]]], work: Callable[[tuple[int, int]], None]) -> None:
    """Do the work of each round at once, one round after the other."""
    threads = max(map(len, plan))
    if threads == 1:
        for (alone,) in plan:
            work(alone)
        return
    with single_threaded(), ThreadPoolExecutor(threads) as pool:
        for together in plan:
            list(pool.map(work, together))


def all_pairs(
    encoded: Array,
    form: Format,
    candidates: int,
    apart: npt.NDArray[np.int64] | None = None,
) -> Heaps:
    """Find the ``candidates`` items with the largest products of every item.

    Every product is made once, and serves its row and its column.

    Parameters
    ----------
    encoded
        [n, d], in the format's type.
    form
        The number format.
    candidates
        At least 1 and at most n − 1; an item is not its own.
    apart
        int64 [n]; items with the same number are not candidates of one another.
    """
    n = len(encoded)
    heaps = Heaps.empty(n, candidates)
    everyone = np.arange(n, dtype=np.int32)
    numbers = np.empty(0, dtype=np.int64) if apart is None else apart
    threads = max(1, min(thread_count(), n // _WORTH_A_THREAD))
    bounds = [n * block // (2 * threads) for block in range(2 * threads + 1)]

    def work(pair: tuple[int, int]) -> None:
        scratch = form.scratch(_SIDE)
        one, other = ((bounds[block], bounds[block + 1]) for block in pair)
        tiles = [
            (top, left)
            for top in range(*one, _SIDE)
            for left in range(top if one == other else other[0], other[1], _SIDE)
        ]
        # Items next to one another are alike, if any are: they raise the heaps' marks soonest.
        for top, left in sorted(tiles, key=lambda tile: tile[0] != tile[1]):
            down = slice(top, min(top + _SIDE, one[1]))
            across = slice(left, min(left + _SIDE, other[1]))
            tile = form.tile(encoded[down], encoded[across], scratch)
            own = everyone[down]
            heaps.enter(tile, own, own, left, both=top != left, apart=numbers)

    in_turn(rounds(threads), work)
    return heaps


def against(
    asking: Array,
    encoded: Array,
    form: Format,
    candidates: int,
    owners: npt.NDArray[np.int32] | None = None,
    apart: npt.NDArray[np.int64] | None = None,
) -> Heaps:
    """Find the ``candidates`` of the encoded vectors with the largest products of each that asks.

    Parameters
    ----------
    asking
        [r, d], in the format's type.
    encoded, form, candidates, apart
        See `all_pairs`.
    owners
        int32 [r], their rows in ``encoded``, which are not candidates of theirs; None: in none.
    """
    r = len(asking)
    heaps = Heaps.empty(r, candidates)
    slots = np.arange(r, dtype=np.int32)
    items = np.full(r, NOBODY, dtype=np.int32) if owners is None else owners
    numbers = np.empty(0, dtype=np.int64) if apart is None else apart

    def work(part_of_rows: tuple[int, int]) -> None:
        first, last = part_of_rows
        scratch = form.scratch(_SIDE)
        for top in range(first, last, _SIDE):
            part = slice(top, min(top + _SIDE, last))
            for left in range(0, len(encoded), _SIDE):
                tile = form.tile(asking[part], encoded[left : left + _SIDE], scratch)
                heaps.enter(tile, slots[part], items[part], left, both=False, apart=numbers)

    threads = max(1, min(thread_count(), r // 64))
    bounds = [r * part // threads for part in range(threads + 1)]
    in_turn([list(pairwise(bounds))], work)
    return heaps
