"""Items that may have several classes: one yes/no label model per class."""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import Floats, LabelModel, Strength, Votes
from epoxy_core.labeling import ABSTAIN, HAS

MakeModel = Callable[[int, Sequence[float] | None], LabelModel]


class MultiLabel:
    """Every class is its own question, answered by a label model of two classes.

    The questions share nothing: neither that classes exclude each other nor that they come
    together is learned (binary relevance; Zhang & Zhou 2014).

    Parameters
    ----------
    make_model
        Called with 2 and the question's class balance [P(has it not), P(has it)] or None; the
        label models themselves are such functions.
    class_balance
        The share of items that have each class, [K], each above 0 and below 1, not meant to sum
        to 1; one half each when absent. An item without a vote on a class has it with this
        probability, so give it where classes are rare.

    Attributes
    ----------
    models_
        The K label models, fitted.
    accuracy_
        float64 [m, K], estimated P(what the vote says of the class is true | voted on it).
    """

    def __init__(self, make_model: MakeModel, class_balance: Sequence[float] | None = None) -> None:
        self.make_model = make_model
        self.class_balance = class_balance

    def fit(self, votes: Votes, strength: Strength | None = None) -> Self:
        """Learn from votes.

        Parameters
        ----------
        votes
            int8 [n, m, K]: 1 = has the class, 0 = has it not, −1 = abstain.
        strength
            float32 [n, m, K], the LF's own probability of each vote; None where all are plain.

        Raises
        ------
        EpoxyError
            If the votes are anything else, or the class balance does not fit them.
        """
        _check(votes, strength)
        self.models_ = [
            self.make_model(2, balance).fit(*_question(votes, strength, label))
            for label, balance in enumerate(self._balances(votes.shape[2]))
        ]
        self.accuracy_ = np.empty(votes.shape[1:])
        for label, model in enumerate(self.models_):
            self.accuracy_[:, label] = model.accuracy_
        return self

    def predict_proba(self, votes: Votes, strength: Strength | None = None) -> Floats:
        """P(the item has the class), float64 [n, K]; rows need not sum to 1.

        Raises
        ------
        EpoxyError
            If the votes are not of as many classes as those it was fitted on.
        """
        _check(votes, strength)
        if votes.shape[2] != len(self.models_):
            raise EpoxyError(
                f"votes on {votes.shape[2]} classes, and the label model was fitted on "
                f"{len(self.models_)}",
                where="multi-label votes",
                remedy="Give votes on the same classes.",
            )
        found = np.empty((len(votes), len(self.models_)))
        for label, model in enumerate(self.models_):
            found[:, label] = model.predict_proba(*_question(votes, strength, label))[:, HAS]
        return found

    def _balances(self, n_classes: int) -> list[list[float] | None]:
        if self.class_balance is None:
            return [None] * n_classes
        shares = np.asarray(self.class_balance, dtype=np.float64)
        if shares.shape != (n_classes,) or not ((shares > 0) & (shares < 1)).all():
            raise EpoxyError(
                f"{list(self.class_balance)} are not the shares of {n_classes} classes",
                where="label_model.class_balance",
                remedy="Give one per class, above 0 and below 1: the share of items that have it.",
            )
        return [[1 - share, share] for share in shares.tolist()]


def _question(votes: Votes, strength: Strength | None, label: int) -> tuple[Votes, Strength | None]:
    """Votes [n, m] on one class, and their probabilities."""
    return votes[:, :, label], None if strength is None else strength[:, :, label]


def _check(votes: npt.NDArray[np.integer], strength: Strength | None) -> None:
    if votes.ndim != 3 or (strength is not None and strength.shape != votes.shape):
        shape = "" if strength is None else f", their probabilities {strength.shape}"
        raise EpoxyError(
            f"the votes are {votes.shape}{shape}",
            where="multi-label votes",
            remedy="Give one per item, labeling function and class.",
        )
    known = (votes >= ABSTAIN) & (votes <= HAS)
    if not known.all():
        row, lf, label = np.argwhere(~known)[0]
        raise EpoxyError(
            f"vote {votes[row, lf, label]} on a class",
            where=f"item {row}, labeling function {lf}, class {label}",
            remedy=f"It is 1 (has it), 0 (has it not), or {ABSTAIN} to abstain.",
        )
