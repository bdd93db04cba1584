"""Exact posteriors of a chain of classes, in time linear in its length and vectorised."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats

_LEAST_LOG = -300.0


class ChainPosterior(NamedTuple):
    """What the votes of all items say of each item's class, and of the one before it.

    Attributes
    ----------
    marginal
        float64 [n, K], P(class of the item is k).
    stayed
        float64 [n, K], P(it is k and so was the item before); 0 where a sequence starts.
    moves
        float64 [K, K], expected moves from one class to another; the diagonal is 0.
    log_likelihood
        Of the votes.
    """

    marginal: Floats
    stayed: Floats
    moves: Floats
    log_likelihood: float


def forward_backward(
    changed: Floats,
    stayed: Floats,
    pattern: npt.NDArray[np.intp],
    starts: npt.NDArray[np.bool_],
    initial: Floats,
    transition: Floats,
) -> ChainPosterior:
    """Smooth over sequences laid end to end.

    The chain is cut into about √n blocks of equal length and each step is made in all blocks at
    once: first every block's K × K product of transitions and likelihoods, then, block by block,
    what reaches each block's ends, then the posteriors within.

    Parameters
    ----------
    changed, stayed
        float64 [p, K], log-likelihood of an item's votes where its class is k and the item
        before was of another class, and where it was of the same. Where a sequence starts,
        ``changed`` counts.
    pattern
        int [n], the row of ``changed`` and ``stayed`` of each item, in time order.
    starts
        bool [n], whether a sequence starts here. True for the first item.
    initial
        float64 [K], of a sequence's first item.
    transition
        float64 [K, K], P(class after | class before) at [before, after], all positive.
    """
    n, k = len(pattern), changed.shape[1]
    if n == 0:
        return ChainPosterior(np.empty((0, k)), np.empty((0, k)), np.zeros((k, k)), 0.0)
    length = int(np.ceil(np.sqrt(n) / 3))
    blocks = -(-n // length)
    padding = length * blocks - n
    pattern = np.pad(pattern, (0, padding), constant_values=len(changed))
    pattern = np.ascontiguousarray(pattern.reshape(blocks, length).T)
    first = np.pad(starts, (0, padding), constant_values=True).reshape(blocks, length).T
    peak = np.maximum(changed, stayed).max(axis=1)
    move = _spread(changed - peak[:, None], pattern)
    stay = _spread(stayed - peak[:, None], pattern) * transition.diagonal()[:, None]
    leave = transition * (1 - np.eye(k))
    restarts = [np.flatnonzero(row) for row in first]

    products = np.tile(np.eye(k)[:, :, None], blocks)
    for at in range(length):
        reached = (leave.T @ products.reshape(k, -1)).reshape(k, k, blocks)
        reached *= move[at][:, None]
        reached += stay[at][:, None] * products
        if len(new := restarts[at]):
            fresh = (initial[:, None] * move[at][:, new])[:, None]
            reached[:, :, new] = fresh * products[:, :, new].sum(axis=0)
        products = reached / reached.sum(axis=(0, 1))
    before, after = _ends(products)

    forward = np.empty((length + 1, k, blocks))
    scale = np.empty((length, blocks))
    forward[0] = before
    for at in range(length):
        reached = leave.T @ forward[at]
        reached *= move[at]
        reached += stay[at] * forward[at]
        if len(new := restarts[at]):
            reached[:, new] = initial[:, None] * move[at][:, new]
        scale[at] = reached.sum(axis=0)
        np.divide(reached, scale[at], out=forward[at + 1])

    backward = np.empty((length, k, blocks))
    backward[-1] = after
    for at in range(length - 1, 0, -1):
        reached = leave @ (move[at] * backward[at])
        reached += stay[at] * backward[at]
        if len(new := restarts[at]):
            reached[:, new] = 1
        np.divide(reached, reached.sum(axis=0), out=backward[at - 1])

    marginal = forward[1:] * backward
    total = marginal.sum(axis=1)
    marginal /= total[:, None]
    backward /= (total * scale)[:, None]
    same = forward[:-1] * stay
    same *= backward
    same *= ~first[:, None]
    move *= backward
    move *= ~first[:, None]
    moves = leave * np.matmul(forward[:-1], move.transpose(0, 2, 1)).sum(axis=0)
    counted = np.bincount(pattern.ravel(), minlength=len(changed) + 1)[:-1]
    return ChainPosterior(
        _in_order(marginal, n),
        _in_order(same, n),
        moves,
        float(np.log(scale).sum() + counted @ peak),
    )


def _spread(logs: Floats, pattern: npt.NDArray[np.intp]) -> Floats:
    """Likelihoods of the patterns at [length, K, blocks]; 1 for padding."""
    table = np.exp(np.maximum(logs, _LEAST_LOG))
    table = np.vstack([table, np.ones(table.shape[1])])
    spread = np.empty((len(pattern), table.shape[1], pattern.shape[1]))
    for label, column in enumerate(table.T):
        spread[:, label] = np.ascontiguousarray(column)[pattern]
    return spread


def _ends(products: Floats) -> tuple[Floats, Floats]:
    """What reaches each block from the left and from the right, [K, blocks] each."""
    blocks = np.ascontiguousarray(products.transpose(2, 0, 1))
    before = np.empty((len(blocks), len(products)))
    after = np.empty_like(before)
    # The first block restarts at its first item, so anything may come before it.
    reached = np.full(len(products), 1 / len(products))
    for at, block in enumerate(blocks):
        before[at] = reached
        reached = block @ reached
        reached = reached / reached.sum()
    reached = np.ones(len(products))
    for at in range(len(blocks) - 1, -1, -1):
        after[at] = reached
        reached = reached @ blocks[at]
        reached = reached / reached.sum()
    return before.T, after.T


def _in_order(blocked: Floats, n: int) -> Floats:
    return np.ascontiguousarray(blocked.transpose(2, 0, 1)).reshape(-1, blocked.shape[1])[:n]
