"""Approximate search among the items of near cells (an inverted file: Jégou et al. 2011).

All items are searched for at once, so the search goes cell by cell: everybody who probes a cell
is multiplied with its members in one product, which serves both sides. A pair is therefore found
if either probes the other's cell.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.all_pairs import NOBODY, Heaps, against, in_turn, rounds
from epoxy_core.neighbors.centroids import centroids
from epoxy_core.neighbors.exact import exact_rows
from epoxy_core.neighbors.formats import FLOAT32, INT8, Array, Format, Vectors, native
from epoxy_core.neighbors.rescoring import Found, rescored_in
from epoxy_core.threads import thread_count

_MEMBERS = 800  # of a cell, on average
_MOST = 8192  # cells
_JUDGES = 256  # items whose true neighbours say how many cells to probe
_MARGIN = 0.2  # of what is allowed to be missed: kept for the first pass in int8, and for chance
_SIDE = 1024  # of a tile, at most
_WORTH_A_THREAD = 2048  # items
_NO_NUMBERS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Items in the order of their cells, and who probes which.

    Attributes
    ----------
    order
        int64 [n], the items, cell by cell; places in this order are meant below.
    start
        int64 [c + 1], where each cell's members begin.
    visitors
        int32 [v], places of the items of other cells that probe a cell, cell by cell, ascending.
    first
        int64 [c + 1], where each cell's visitors begin.
    """

    order: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    visitors: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]


def by_cells(vectors: Vectors, width: int, recall: float) -> Found:
    """Find most of the ``width`` most similar items of every item.

    Parameters
    ----------
    vectors
        float32 [n, d], unit or zero rows.
    width
        Neighbours of each, at least 1 and at most n − 1.
    recall
        Share of the true neighbours to be found. As many cells are probed as a sample of the
        items needs for a little more; but never more than a quarter of all, so it may be less.

    Returns
    -------
    indices, similarity
        int32 and float32 [n, width].
    """
    n = len(vectors)
    form = INT8 if native("int8") else FLOAT32
    middles = centroids(vectors, max(2, min(n // _MEMBERS, _MOST)))
    probes = probes_needed(vectors, middles, width, recall + _MARGIN * (1 - recall))
    encoded = form.encode(vectors)
    cells = assigned(encoded, form, middles, probes)
    encoded = encoded[cells.order]
    heaps = compared(encoded, form, cells, min(n - 1, width + max(4, width // 8)))
    indices, similarity = rescored_in(cells.order, vectors, heaps.rows, width)
    short = np.flatnonzero(indices[:, -1] == NOBODY)
    if len(short):
        indices[short], similarity[short] = exact_rows(vectors, short, width)
    return indices, similarity


def probes_needed(vectors: Vectors, middles: Vectors, width: int, recall: float) -> int:
    """How many cells to probe so that this share of the true neighbours of a sample is found."""
    n, most = len(vectors), max(1, len(middles) // 4)
    drawn = np.sort(np.random.default_rng(1).choice(n, size=min(_JUDGES, n), replace=False))
    true, _ = exact_rows(vectors, drawn, width)
    rows, place = np.unique(np.hstack([drawn[:, None], true]), return_inverse=True)
    place = place.reshape(len(drawn), -1)
    nearest = against(vectors[rows], middles, FLOAT32, most)
    ranked = np.take_along_axis(nearest.rows, np.argsort(-nearest.keys, axis=1), axis=1)
    item, other = place[:, :1], place[:, 1:]
    there = ranked[item] == ranked[other, :1]
    back = ranked[other] == ranked[item, :1]
    either = there | back
    needed = np.where(either.any(axis=2), either.argmax(axis=2) + 1, most)
    return int(np.quantile(needed, recall, method="higher"))


def assigned(encoded: Array, form: Format, middles: Vectors, probes: int) -> Cells:
    """Put every item into the cell nearest to it, and let it visit the next nearest."""
    n = len(encoded)
    nearest = against(encoded, form.encode(middles), form, min(probes, len(middles)))
    at = np.arange(n), nearest.keys.argmax(axis=1)
    own = nearest.rows[at].astype(np.uint16)
    nearest.rows[at] = NOBODY
    order = np.argsort(own, kind="stable")
    probed = nearest.rows[order].ravel()
    places = np.repeat(np.arange(n, dtype=np.int32), nearest.rows.shape[1])[probed != NOBODY]
    probed = probed[probed != NOBODY].astype(np.uint16)
    by_cell = np.argsort(probed, kind="stable")  # so short a type is sorted by radix
    edges = np.arange(len(middles) + 1)
    return Cells(
        order,
        np.searchsorted(own[order], edges),
        places[by_cell],
        np.concatenate([[0], np.cumsum(np.bincount(probed, minlength=len(middles)))]),
    )


def compared(encoded: Array, form: Format, cells: Cells, candidates: int) -> Heaps:
    """Multiply the members of each cell with one another and with its visitors.

    Parameters
    ----------
    encoded
        [n, d], in the order of the cells.
    """
    n, count = len(encoded), len(cells.start) - 1
    heaps = Heaps.empty(n, candidates)
    everyone = np.arange(n, dtype=np.int32)
    threads = max(1, min(thread_count(), n // _WORTH_A_THREAD))
    # Blocks of whole cells, of about as many items; a pair of blocks is one thread's for a round.
    split = np.searchsorted(cells.start, [n * part // (2 * threads) for part in range(2 * threads)])
    split = np.append(split, count)

    def multiply(rows: npt.NDArray[np.int32], cell: int, scratch: Array, both: bool) -> None:
        for top in range(0, len(rows), _SIDE):
            part = rows[top : top + _SIDE]
            asking = np.take(encoded, part, axis=0, mode="clip")
            for left in range(cells.start[cell], cells.start[cell + 1], _SIDE):
                members = encoded[left : min(left + _SIDE, cells.start[cell + 1])]
                tile = form.tile(asking, members, scratch)
                heaps.enter(tile, part, part, left, both=both, distinct=True, apart=_NO_NUMBERS)

    def visit(host: int, guest: int, scratch: Array) -> None:
        arrive, leave = cells.start[split[guest]], cells.start[split[guest + 1]]
        for cell in range(split[host], split[host + 1]):
            visitors = cells.visitors[cells.first[cell] : cells.first[cell + 1]]
            here = slice(*np.searchsorted(visitors, [arrive, leave]))
            multiply(visitors[here], cell, scratch, both=True)

    def work(pair: tuple[int, int]) -> None:
        scratch = form.scratch(_SIDE)
        one, other = pair
        if one == other:
            for cell in range(split[one], split[one + 1]):
                members = everyone[cells.start[cell] : cells.start[cell + 1]]
                multiply(members, cell, scratch, both=False)
        else:
            visit(one, other, scratch)
        visit(other, one, scratch)

    in_turn(rounds(threads), work)
    return heaps
