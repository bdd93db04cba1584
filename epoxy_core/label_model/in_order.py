"""A chain over items that are stored in another order than that of time."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats, Strength, Votes
from epoxy_core.label_model.chain import TemporalChain


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

    @property
    def follows(self) -> npt.NDArray[np.bool_]:
        """Bool [n], in time order: whether an item of the same sequence comes before."""
        return np.append(False, self.sequences[1:] == self.sequences[:-1])[: len(self.sequences)]

    def of(self, votes: Votes, strength: Strength | None) -> tuple[Votes, Strength | None]:
        """Bring votes [n, m] of the items, as they are stored, in time order."""
        return votes[self.rows], None if strength is None else strength[self.rows]

    def with_votes(self, votes: Votes) -> npt.NDArray[np.bool_]:
        """Bool [n], the items (as they are stored) whose sequence has any vote."""
        voted = np.asarray((votes >= 0).any(axis=1))
        known = np.isin(self.sequences, self.sequences[voted[self.rows]])
        result = np.empty_like(voted)
        result[self.rows] = known
        return result

    def one_per_stretch(self, gold: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Keep the hand labels that are worth one each.

        A hundred labelled frames of one shot are no hundred draws: of labelled items that follow
        one another with the same class, the middle one stays.

        Parameters
        ----------
        gold
            int8 [n], as the items are stored; −1 where there is none.

        Returns
        -------
        int8 [n], −1 at all others.
        """
        rows = self.rows[gold[self.rows] >= 0]
        sequences = self.sequences[gold[self.rows] >= 0]
        kept = np.full_like(gold, -1)
        if len(rows):
            begins = (np.diff(sequences) != 0) | (np.diff(gold[rows]) != 0)
            edges = np.concatenate([[0], np.flatnonzero(begins) + 1, [len(rows)]])
            middle = rows[(edges[:-1] + edges[1:] - 1) // 2]
            kept[middle] = gold[middle]
        return kept


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
    """

    def __init__(
        self, n_classes: int, class_balance: Sequence[float] | None, order: ItemOrder
    ) -> None:
        self.n_classes = n_classes
        self.class_balance = class_balance
        self.order = order

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """Learn from votes; arrays are as in `LabelModel.fit`."""
        votes, strength = self.order.of(votes, strength)
        ids = self.order.sequences
        self.chain_ = TemporalChain(self.n_classes, self.class_balance).fit(votes, ids, strength)
        self.accuracy_, self.evidence_ = self.chain_.accuracy_, self.chain_.evidence_
        self.silence_ = self.chain_.silence_
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """float64 [n, K], given all votes of an item's sequence; rows sum to 1."""
        posterior = np.empty((len(votes), self.n_classes))
        ordered, claims = self.order.of(votes, strength)
        posterior[self.order.rows] = self.chain_.predict_proba(
            ordered, self.order.sequences, claims
        )
        return posterior
