"""A chain over items that are stored in another order than that of time."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.label_model.base import Floats, Strength, Votes
from epoxy_core.label_model.chain import TemporalChain
from epoxy_core.label_model.choose import ENOUGH_GOLD

STAGE = "order"


class ItemOrder(NamedTuple):
    """Which items follow one another.

    Attributes
    ----------
    rows
        int [n], the items in time order, sequence by sequence.
    sequences
        int [n], the sequence of each of ``rows``.
    """

    rows: npt.NDArray[np.intp]
    sequences: npt.NDArray[np.int64]

    def with_votes(self, votes: Votes) -> npt.NDArray[np.bool_]:
        """Bool [n], the items (as they are stored) whose sequence has any vote."""
        voted = np.asarray((votes >= 0).any(axis=1))
        known = np.isin(self.sequences, self.sequences[voted[self.rows]])
        result = np.empty_like(voted)
        result[self.rows] = known
        return result


class ChainInOrder:
    """`TemporalChain` for votes on always the same items, under the names of `LabelModel`.

    Parameters
    ----------
    n_classes, class_balance
        See `TemporalChain`.
    order
        Of the items.

    Attributes
    ----------
    chain_
        The fitted chain.
    accuracy_, evidence_, silence_
        Those of the chain.
    gain_
        Log-likelihood of the votes per item that the order adds: that of the chain less that of
        the same parameters where no item follows another.
    """

    def __init__(
        self, n_classes: int, class_balance: Sequence[float] | None, order: ItemOrder
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.order = order

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """Learn from votes; arrays are as in `LabelModel.fit`."""
        votes, strength = self._in_order(votes, strength)
        ids = self.order.sequences
        self.chain_ = TemporalChain(self.n_classes, self.class_balance).fit(votes, ids, strength)
        self.accuracy_, self.evidence_ = self.chain_.accuracy_, self.chain_.evidence_
        self.silence_ = self.chain_.silence_
        alone = self.chain_.log_likelihood(votes, np.arange(len(votes)), strength)
        ordered = self.chain_.log_likelihood(votes, ids, strength)
        self.gain_ = (ordered - alone) / max(len(votes), 1)
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """float64 [n, K], given all votes of an item's sequence; rows sum to 1."""
        posterior = np.empty((len(votes), self.n_classes))
        ordered, claims = self._in_order(votes, strength)
        posterior[self.order.rows] = self.chain_.predict_proba(
            ordered, self.order.sequences, claims
        )
        return posterior

    def _in_order(self, votes: Votes, strength: Strength | None) -> tuple[Votes, Strength | None]:
        rows = self.order.rows
        return votes[rows], None if strength is None else strength[rows]


def order_choice(
    gain: float, chain: Floats, static: Floats, voted: npt.NDArray[np.bool_], gold: Votes
) -> Choice:
    """What the order changed: the chain beside the label model that does not know it.

    Parameters
    ----------
    gain
        ``ChainInOrder.gain_``.
    chain, static
        float64 [n, K], posteriors of both.
    voted
        bool [n], items with votes.
    gold
        int8 [n], dev labels, −1 elsewhere.
    """
    differ = (chain.argmax(axis=1) != static.argmax(axis=1))[voted]
    share = float(differ.mean()) if len(differ) else 0.0
    reason = (
        f"The items are in order (label_model.sequence): of those with votes {share:.0%} get "
        f"another label by it. It adds {gain:+.3f} to the log-likelihood of an item's votes."
    )
    warning = "" if gain > 0 else "The votes do not bear the order out: is it the right one?"
    known = gold >= 0
    if known.sum() < ENOUGH_GOLD:
        scores = {"chain": gain, "without order": 0.0}
        return Choice(STAGE, "chain", reason, "log-likelihood per item", scores, warning)
    right = {
        name: float((posterior[known].argmax(axis=1) == gold[known]).mean())
        for name, posterior in (("chain", chain), ("without order", static))
    }
    return Choice(STAGE, "chain", reason, "dev accuracy", right, warning)
