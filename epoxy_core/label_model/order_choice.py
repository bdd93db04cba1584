"""Whether the order of the items counts: what hand labels say of it, or votes left out."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import ENOUGH_GOLD, Choice
from epoxy_core.label_model.base import Floats, Strength, Votes, share_of_top
from epoxy_core.label_model.chain import TemporalChain
from epoxy_core.label_model.in_order import ChainInOrder

STAGE = "order"
CHAIN = "chain"
STATIC = "without order"

_BLOCKS = 8
_MOST_ITEMS = 10_000
_MOST_STEPS = 30
_LEAST_FOLLOWING = 50


class OrderGain(NamedTuple):
    """By how much the chain is better, the standard error of that, and both scores."""

    measure: str
    gain: float
    error: float
    scores: dict[str, float]


def order_choice(
    judge: ChainInOrder,
    chain: Floats,
    static: Floats,
    votes: Votes,
    strength: Strength | None,
    gold: npt.NDArray[np.int8],
    *,
    given: bool,
) -> Choice:
    """Choose between the chain and the label model that does not know the order.

    With 50 hand labels on items with votes or more, by the share of them that is right; with
    fewer by the likelihood of votes left out. The chain is the favourite, and gives way where the
    other is better by more than two standard errors: on synthetic votes it gains .02 to .2 of
    accuracy where classes persist, and loses up to .03 where they do not. Neither shows without
    hand labels where what persists in the votes is not the class.

    Parameters
    ----------
    judge
        The fitted chain.
    chain, static
        float64 [n, K], its posterior, and that of the label model that does not know the order.
    votes, strength
        int8 and float32 [n, m], what both were fitted on.
    gold
        int8 [n], dev labels, −1 elsewhere.
    given
        Whether the task says that the items are in order: then the chain is taken anyway, and
        where it would give way there is a warning.
    """
    voted = (votes >= 0).any(axis=1)
    known = np.flatnonzero(voted & (gold >= 0))
    following = int(judge.order.follows.sum())
    found = None
    if not following:
        verdict, worse = "No item follows another in its sequence.", True
    elif len(known) < ENOUGH_GOLD and following < _LEAST_FOLLOWING:
        verdict, worse = f"{following} items that follow another are too few to tell.", False
    else:
        enough = len(known) >= ENOUGH_GOLD
        found = (
            by_hand_labels(chain, static, known, gold[known])
            if enough
            else by_votes_left_out(judge, votes, strength)
        )
        worse = found.gain + 2 * found.error < 0
        verdict = f"It adds {found.gain:+.3f} to the {found.measure}, ± {2 * found.error:.3f}."
    differ = (chain.argmax(axis=1) != static.argmax(axis=1))[voted]
    share = float(differ.mean()) if len(differ) else 0.0
    reason = f"By their order {share:.0%} of the items with votes get another label. {verdict}"
    warning = ""
    if given and worse:
        warning = "The order does no good here: is it the right one? label_model.sequence: null."
    chosen = STATIC if worse and not given else CHAIN
    if found is None:
        return Choice(STAGE, chosen, reason, warning=warning)
    return Choice(STAGE, chosen, reason, found.measure, found.scores, warning)


def by_hand_labels(
    chain: Floats, static: Floats, rows: npt.NDArray[np.intp], labels: npt.NDArray[np.int8]
) -> OrderGain:
    """Compare the shares of items that are right; ties count as a fraction.

    Parameters
    ----------
    chain, static
        float64 [n, K].
    rows, labels
        int [g] and int8 [g], items with a hand label; g > 0.
    """
    right = {
        name: share_of_top(posterior[rows])[np.arange(len(rows)), labels]
        for name, posterior in ((CHAIN, chain), (STATIC, static))
    }
    difference = right[CHAIN] - right[STATIC]
    scores = {name: float(each.mean()) for name, each in right.items()}
    error = _error(difference, np.arange(len(rows)))
    measure = f"accuracy on {len(rows)} dev items with votes"
    return OrderGain(measure, float(difference.mean()), error, scores)


def by_votes_left_out(judge: ChainInOrder, votes: Votes, strength: Strength | None) -> OrderGain:
    """Compare how likely votes are under a chain that was not fitted on them.

    The first 10,000 items in order are cut into eight stretches. Chains of the same kind as
    ``judge`` are fitted on every other stretch, one with the items in order and one where none
    follows another, and give the others' votes a log-likelihood per item.

    Parameters
    ----------
    judge
        Fitted on the votes.
    votes, strength
        int8 and float32 [n, m].
    """
    votes, strength = judge.order.of(votes, strength)
    n = min(len(votes), _MOST_ITEMS)
    stretch = np.arange(n) * _BLOCKS // n
    # No sequence goes on from one stretch to the next but one.
    ids = judge.order.sequences[:n] * _BLOCKS + stretch
    informative = judge.chain_.abstention_.informative
    gains = np.empty(_BLOCKS)
    for half in (0, 1):
        ours = np.flatnonzero(stretch % 2 == half)
        ordered, apart = (
            TemporalChain(
                judge.n_classes,
                judge.class_balance,
                abstention="informative" if informative else "ignored",
                max_iterations=_MOST_STEPS,
            ).fit(votes[ours], sequences, None if strength is None else strength[ours])
            for sequences in (ids[ours], np.arange(len(ours)))
        )
        for other in range(1 - half, _BLOCKS, 2):
            rows = np.flatnonzero(stretch == other)
            claims = None if strength is None else strength[rows]
            gains[other] = ordered.log_likelihood(
                votes[rows], ids[rows], claims
            ) - apart.log_likelihood(votes[rows], np.arange(len(rows)), claims)
    per_item = np.repeat(gains / np.bincount(stretch), np.bincount(stretch))
    gain = float(gains.sum() / n)
    scores = {CHAIN: gain, STATIC: 0.0}
    measure = "log-likelihood per item of votes left out"
    return OrderGain(measure, gain, _error(per_item, stretch), scores)


def _error(values: Floats, cluster: npt.NDArray[np.integer]) -> float:
    """Standard error of the mean where values of a cluster go together; 0 for one cluster."""
    sums = np.bincount(cluster, values - values.mean())
    n = len(sums)
    return float(np.sqrt((sums**2).sum() * n / max(n - 1, 1)) / len(values))
