"""What comes of the votes: probabilities of items, figures of labeling functions, choices."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.combine.votes import Floats, VoteColumns, Votes
from epoxy_core.label_model.unique_votes import UniqueVotes


@dataclass(frozen=True, slots=True, eq=False)
class ByPattern:
    """Probabilities of items, of which many have the same.

    Attributes
    ----------
    values
        float64 [p, K].
    row
        int32 [n], each item's row of them.
    """

    values: Floats
    row: npt.NDArray[np.int32]

    def of_items(self) -> Floats:
        """float64 [n, K]."""
        return self.values[self.row]


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """What the votes say of every item, by stage, and what was learned of every LF.

    Attributes
    ----------
    by_majority, by_own
        Probabilities by majority vote, and by the label model on own votes.
    extended
        float64 [n, K]: probabilities with borrowed votes.
    reached
        Bool [n]: items with an own or counted borrowed vote, or in a sequence with votes.
    labels
        int8 [n]: the most probable class with borrowed votes, −1 for items without votes.
    in_sequence
        bool [n]: items in a sequence with votes, if their order counts; else none.
    votes, unique
        What went in, and the distinct rows of own votes.
    n_counted
        int64 [m]: how many of ``counted`` are votes.
    accuracy
        float64 [m]: estimated P(vote correct | voted).
    thresholds
        float64 [m]: least similarity at which a borrowed vote counts.
    evidence
        float64 [m, S, K]: ``evidence[j, v, k]`` is what LF j's own vote v adds to log P(class k);
        S is 2K if there are votes against a class.
    silence
        float64 [m, K]: what LF j's abstaining adds; zero where it says nothing.
    balance
        The classes' shares, [K]; None: not known, taken to be uniform.
    known_balance
        The same as far as the settings or dev labels told it, not learned from votes.
    dependence
        float64 [m, m]: how alike LFs vote within the classes, where that makes them count less.
    choices
        What was chosen by itself, and why.
    grid, curves
        float64 [g], [m, g]: what a borrowed vote for a class adds to it, against similarity; zero
        where posteriors are propagated.
    """

    by_majority: ByPattern
    by_own: ByPattern
    extended: Floats
    reached: npt.NDArray[np.bool_]
    labels: Votes
    in_sequence: npt.NDArray[np.bool_]
    votes: VoteColumns
    unique: UniqueVotes
    n_counted: npt.NDArray[np.int64]
    accuracy: Floats
    thresholds: Floats
    evidence: Floats
    silence: Floats
    balance: list[float] | None
    known_balance: list[float] | None
    dependence: Floats
    choices: tuple[Choice, ...]
    grid: Floats
    curves: Floats

    @property
    def majority(self) -> Floats:
        """float64 [n, K]: majority vote; made at every call, as the next two are."""
        return self.by_majority.of_items()

    @property
    def own(self) -> Floats:
        """float64 [n, K]: the label model on own votes."""
        return self.by_own.of_items()

    @property
    def counted(self) -> Votes:
        """int8 [n, m]: own votes, and the borrowed ones at or above their threshold."""
        return self.votes.counted(self.thresholds)
