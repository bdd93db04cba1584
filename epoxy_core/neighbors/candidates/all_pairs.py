"""Candidates from products of all pairs, or of some rows with all, tile by tile in the cache."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.pool import NO_NUMBERS, NOBODY, Best, Candidates
from epoxy_core.neighbors.formats import Array, Format, single_threaded
from epoxy_core.threads import thread_count

_SIDE = 1024  # of a tile, at most: its vectors and candidates stay in the cache
_WORTH_A_THREAD = 2048  # rows


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
) -> Best:
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
    found = Candidates.empty(n, candidates)
    everyone = np.arange(n, dtype=np.int32)
    numbers = NO_NUMBERS if apart is None else apart
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
        # Items next to one another are alike, if any are: they raise the marks soonest.
        for top, left in sorted(tiles, key=lambda tile: tile[0] != tile[1]):
            down = slice(top, min(top + _SIDE, one[1]))
            across = slice(left, min(left + _SIDE, other[1]))
            tile = form.tile(encoded[down], encoded[across], scratch)
            own = everyone[down]
            found.enter(tile, own, own, everyone[across], both=top != left, apart=numbers)

    in_turn(rounds(threads), work)
    return found.best()


def against(
    asking: Array,
    encoded: Array,
    form: Format,
    candidates: int,
    owners: npt.NDArray[np.int32] | None = None,
    apart: npt.NDArray[np.int64] | None = None,
) -> Best:
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
    found = Candidates.empty(r, candidates)
    slots = np.arange(r, dtype=np.int32)
    everyone = np.arange(len(encoded), dtype=np.int32)
    items = np.full(r, NOBODY, dtype=np.int32) if owners is None else owners
    numbers = NO_NUMBERS if apart is None else apart

    def work(part_of_rows: tuple[int, int]) -> None:
        first, last = part_of_rows
        scratch = form.scratch(_SIDE)
        for top in range(first, last, _SIDE):
            part = slice(top, min(top + _SIDE, last))
            for left in range(0, len(encoded), _SIDE):
                tile = form.tile(asking[part], encoded[left : left + _SIDE], scratch)
                columns = everyone[left : left + _SIDE]
                found.enter(tile, slots[part], items[part], columns, both=False, apart=numbers)

    threads = max(1, min(thread_count(), r // 64))
    bounds = [r * part // threads for part in range(threads + 1)]
    in_turn([list(pairwise(bounds))], work)
    return found.best()
