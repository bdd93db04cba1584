"""Approximate search: items of near cells, then neighbours of neighbours.

Cells are an inverted file (Jégou et al. 2011). All items are searched for at once, so the search
goes cell by cell: everybody who probes a cell is multiplied with its members in one product, which
serves both sides. A pair is therefore found if either probes the other's cell. What is missing
then is mostly near to what was found (NN-descent: Dong et al. 2011).
"""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.candidates.all_pairs import in_turn, rounds
from epoxy_core.neighbors.candidates.pool import NOBODY, Candidates
from epoxy_core.neighbors.cells.centroids import centroids, nearest_cells
from epoxy_core.neighbors.cells.judges import Judges
from epoxy_core.neighbors.cells.visits import Visits
from epoxy_core.neighbors.exact import exact_rows
from epoxy_core.neighbors.formats import FLOAT32, INT8, Array, Format, Vectors, native
from epoxy_core.neighbors.rescoring import Found, rescored_in
from epoxy_core.threads import by_rows, thread_count

_CELLS, _MOST = 5, 60_000  # times √n: probing them and comparing their members take as long
_LEFT_OUT = 1.5  # times what may be missed in the end, where cells are probed
_MARGIN = 0.1  # of what may be missed: kept for chance
_FRIENDS, _ROUNDS = 12, 4  # neighbours that are asked for as many of theirs, and how often
_HEIGHT, _WIDTH = 512, 1024  # of a tile, at most: multiples of what they are padded to
_PADDING = 64  # products of few sizes: kernels are made for each
_WORTH_A_THREAD = 2048  # items


def by_cells(vectors: Vectors, width: int, recall: float) -> Found:
    """Find most of the ``width`` most similar items of every item.

    Parameters
    ----------
    vectors
        float32 [n, d], unit or zero rows.
    width
        Neighbours of each, at least 1 and at most n − 1.
    recall
        Share of the true neighbours to be found. A sample of the items says how many cells to
        probe, at most a quarter of all, and how often to ask neighbours for theirs, at most
        `_ROUNDS` times; so it may be less.

    Returns
    -------
    indices, similarity
        int32 and float32 [n, width].
    """
    n = len(vectors)
    form = INT8 if native("int8") else FLOAT32
    middles = centroids(vectors, max(2, min(int(_CELLS * n**0.5), n // 2, _MOST)))
    judges = Judges.drawn(vectors, width)
    probes = judges.probes_needed(vectors, middles, max(0.0, 1 - _LEFT_OUT * (1 - recall)))
    encoded = form.encode(vectors)
    most = min(probes + probes // 8, len(middles))
    visits = Visits.of(
        nearest_cells(encoded, form.encode(middles), form, probes, most), len(middles)
    )
    ordered = np.zeros((n + _PADDING, encoded.shape[1]), dtype=encoded.dtype)
    np.take(encoded, visits.order, axis=0, out=ordered[:n], mode="clip")
    del encoded
    found = compared(ordered, form, visits, min(n - 1, width + max(4, width // 8)))
    enough = 1 - (1 - _MARGIN) * (1 - recall)
    ranked = befriended(ordered, found, visits, vectors, judges, enough)
    indices, similarity = rescored_in(visits.order, vectors, ranked, width)
    short = np.flatnonzero(indices[:, -1] == NOBODY)
    if len(short):
        indices[short], similarity[short] = exact_rows(vectors, short, width)
    return indices, similarity


def compared(ordered: Array, form: Format, visits: Visits, candidates: int) -> Candidates:
    """Multiply the members of each cell with one another and with its visitors.

    Parameters
    ----------
    ordered
        [n + padding, d], the vectors in the order of the cells, then zeros.
    """
    n, count = len(visits.order), len(visits.start) - 1
    found = Candidates.empty(n, candidates)
    homes, probed = visits.homes, visits.probed
    everyone = np.arange(n, dtype=np.int32)
    threads = max(1, min(thread_count(), n // _WORTH_A_THREAD))
    # Blocks of whole cells, of about as many items; a pair of blocks is one thread's for a round.
    ends = [n * part // (2 * threads) for part in range(2 * threads)]
    split = np.append(np.searchsorted(visits.start, ends), count)

    def multiply(guests: npt.NDArray[np.int32], cell: int, space: tuple[Array, Array]) -> None:
        scratch, asking = space
        for left in range(0, len(guests), _WIDTH):
            part = guests[left : left + _WIDTH]
            np.take(ordered, part, axis=0, out=asking[: len(part)], mode="clip")
            for top in range(visits.start[cell], visits.start[cell + 1], _HEIGHT):
                members = everyone[top : min(top + _HEIGHT, visits.start[cell + 1])]
                tall, wide = (-(-len(side) // _PADDING) * _PADDING for side in (members, part))
                tile = form.tile(ordered[top : top + tall], asking[:wide], scratch)
                both = homes[part[0]] != cell
                found.enter(tile, members, members, part, both=both, homes=homes, probed=probed)

    def visit(host: int, guest: int, space: tuple[Array, Array]) -> None:
        arrive, leave = visits.start[split[guest]], visits.start[split[guest + 1]]
        for cell in range(split[host], split[host + 1]):
            guests = visits.visitors[visits.first[cell] : visits.first[cell + 1]]
            multiply(guests[slice(*np.searchsorted(guests, [arrive, leave]))], cell, space)

    def work(pair: tuple[int, int]) -> None:
        space = form.scratch(max(_HEIGHT, _WIDTH)), np.zeros_like(ordered[:_WIDTH])
        one, other = pair
        if one == other:
            for cell in range(split[one], split[one + 1]):
                multiply(everyone[visits.start[cell] : visits.start[cell + 1]], cell, space)
        else:
            visit(one, other, space)
        visit(other, one, space)

    in_turn(rounds(threads), work)
    return found


def befriended(
    ordered: Array,
    found: Candidates,
    visits: Visits,
    vectors: Vectors,
    judges: Judges,
    recall: float,
) -> npt.NDArray[np.int32]:
    """Ask neighbours for theirs until the judges have enough of them; int32 [n, candidates]."""
    from epoxy_core.neighbors.cells.kernels import befriend, mark_fresh

    n = len(visits.order)
    place = np.empty(n, dtype=np.int64)
    place[visits.order] = np.arange(n)
    items = np.append(visits.order, NOBODY).astype(np.int32)  # the last is nobody's
    cells = visits.homes, visits.probed
    pools = found.pool, found.used, found.worst, found.width
    ranked = found.best().rows
    fresh = np.ones((n, min(_FRIENDS, found.width)), dtype=np.bool_)

    def ask(first: int, last: int) -> None:
        befriend(ordered, ranked, fresh, *cells, first, last, *pools)

    def tell(first: int, last: int) -> None:
        mark_fresh(ranked, before, first, last, fresh)

    for _ in range(_ROUNDS):
        if judges.recall(vectors, items[ranked[place[judges.rows]]]) >= recall:
            break
        by_rows(n, ask, least=_WORTH_A_THREAD)
        before, ranked = ranked, found.best().rows
        by_rows(n, tell, least=_WORTH_A_THREAD)
    return ranked
