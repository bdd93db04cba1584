"""What every label model shares: its contract, and the validation of votes.

A vote is a class, 0 to K−1, or *not* a class, K to 2K−1; S, the number of symbols a model tells
apart, is K if no vote it was fitted on is against a class, else 2K. A soft vote is a fractional
vote for several symbols (`epoxy_core.labeling.symbols.fractions`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import ABSTAIN

if TYPE_CHECKING:
    from epoxy_core.label_model.unique_votes import UniqueVotes

PRIOR_ACCURACY = 0.7
"""What an LF that votes for classes is taken to be worth until its overlaps say otherwise."""
PRIOR_OVERLAPS = 30.0
"""How many overlapping votes that belief is worth."""

TIE = 1e-9
"""Scores that differ by no more are the same."""

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Strength = npt.NDArray[np.float32]


class LabelModel(Protocol):
    """Votes to P(class). The constructor stores settings; learned state ends in an underscore.

    Attributes
    ----------
    accuracy_
        float64 [m], estimated P(what the vote says is true | voted): of a vote against a class,
        P(another class).
    evidence_
        float64 [m, S, K], what LF j's vote v adds to class k's score at [j, v, k]: to its
        log-probability (up to a constant per j and v), or to its tally where votes are counted.
        A soft vote adds its fractions of several.
    silence_
        float64 [m, K], what LF j's abstaining adds; zero where that says nothing.
    """

    accuracy_: Floats
    evidence_: Floats
    silence_: Floats

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """Learn from votes.

        Parameters
        ----------
        votes
            int8 [n, m], −1 = abstain.
        strength
            float32 [n, m], the LF's own probability of each vote, 1 for a plain vote; not read
            where it abstains. None where no vote is soft.
        """
        ...

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """P(class), float64 [n, K]; rows sum to 1.

        An item without votes gets the class balance, and what the LFs' silence says of it.
        """
        ...

    def fit_unique(self, unique: "UniqueVotes") -> Self:
        """`fit` on votes that are collapsed already."""
        ...

    def predict_unique(self, unique: "UniqueVotes") -> Floats:
        """P(class) of the distinct rows, float64 [p, K]."""
        ...


def validate_votes(
    votes: npt.NDArray[np.integer], n_classes: int, *, negative: bool = False
) -> Votes:
    """Check votes; give them as int8 [n, m].

    Parameters
    ----------
    votes
        int [n, m].
    n_classes
        K.
    negative
        Whether there may be votes against a class.

    Raises
    ------
    EpoxyError
        If the array is not two-dimensional or holds anything but −1, 0, …, K−1 (2K−1).
    """
    if votes.ndim != 2:
        raise EpoxyError(
            f"votes have {votes.ndim} dimensions, not 2",
            where="vote matrix",
            remedy="Give one row per item, one column per labeling function.",
        )
    end = 2 * n_classes if negative else n_classes
    if votes.size and not ABSTAIN <= votes.min() <= votes.max() < end:
        row, lf = np.argwhere((votes < ABSTAIN) | (votes >= end))[0]
        raise EpoxyError(
            f"vote {votes[row, lf]} is not a class",
            where=f"vote matrix row {row}, labeling function {lf}",
            remedy=f"A vote is 0 to {n_classes - 1}, or {ABSTAIN} to abstain"
            + (f", or {n_classes} to {end - 1} against a class." if negative else "."),
        )
    return votes.astype(np.int8, copy=False)


def class_prior(n_classes: int, class_balance: Sequence[float] | None) -> Floats:
    """Check the class balance; give it as float64 [K], uniform when there is none.

    Raises
    ------
    EpoxyError
        If there are fewer than two classes, or the shares are not K positive numbers that sum to
        one.
    """
    if n_classes < 2:
        raise EpoxyError(f"{n_classes} classes", where="classes", remedy="Name at least two.")
    if class_balance is None:
        return np.full(n_classes, 1 / n_classes)
    prior = np.asarray(class_balance, dtype=np.float64)
    if prior.shape != (n_classes,) or not (prior > 0).all() or abs(prior.sum() - 1) > 1e-6:
        raise EpoxyError(
            f"{list(class_balance)} is not a balance of {n_classes} classes",
            where="label_model.class_balance",
            remedy="Give one positive share per class, in order, that sum to 1.",
        )
    return np.asarray(prior / prior.sum())


def softmax(logits: Floats) -> Floats:
    """Turn finite logits into probabilities, row by row."""
    shifted = np.exp(logits - _row_max(logits)[:, None])
    return np.asarray(shifted / (shifted @ np.ones(shifted.shape[1]))[:, None])


def share_of_top(scores: Floats) -> Floats:
    """The class with the highest score of each row as shares; those that tie share it equally.

    Scores within `TIE` of the highest tie with it.
    """
    top = (scores >= _row_max(scores)[:, None] - TIE).astype(np.float64)
    return np.asarray(top / (top @ np.ones(top.shape[1]))[:, None])


def _row_max(values: Floats) -> Floats:
    """The maximum of each row; column by column, which is faster where there are few."""
    highest = values[:, 0].copy()
    for column in values.T[1:]:
        np.maximum(highest, column, out=highest)
    return highest


def class_votes(patterns: Votes, n_classes: int, weights: Floats | None = None) -> Floats:
    """Sum each row's votes, weighted by LF, for each class: float64 [p, K]."""
    sums = np.zeros((len(patterns), n_classes))
    for label in range(n_classes):
        cast = patterns == label
        sums[:, label] = cast.sum(axis=1) if weights is None else cast @ weights
    return sums


def hard_labels(probabilities: Floats) -> npt.NDArray[np.int8]:
    """Take the most probable class of each row; the lowest class among ties."""
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int8)
