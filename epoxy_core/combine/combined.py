"""What comes of the votes: probabilities of items, figures of labeling functions, choices."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.combine.votes import Floats, Votes
from epoxy_core.label_model import hard_labels
from epoxy_core.labeling import ABSTAIN


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """What the votes say of every item, by stage, and what was learned of every LF.

    Attributes
    ----------
    majority, own, extended
        float64 [n, K]: majority vote, the label model on own votes, and with borrowed votes.
    in_sequence
        bool [n]: items in a sequence with votes, if their order counts; else none.
    counted
        int8 [n, m]: own votes, and the borrowed ones at or above their threshold.
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

    majority: Floats
    own: Floats
    extended: Floats
    in_sequence: npt.NDArray[np.bool_]
    counted: Votes
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
    def reached(self) -> npt.NDArray[np.bool_]:
        """Bool [n]: items with an own or counted borrowed vote, or in a sequence with votes."""
        return np.asarray((self.counted != ABSTAIN).any(axis=1) | self.in_sequence)

    @property
    def labels(self) -> Votes:
        """int8 [n]: the most probable class with borrowed votes, −1 for items without votes."""
        return np.where(self.reached, hard_labels(self.extended), np.int8(ABSTAIN))
