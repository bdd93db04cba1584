"""Label models side by side: by hand labels, or without any."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import LabelModel, share_of_top
from epoxy_core.label_model.lift import left_out_lift, mean_and_gain
from epoxy_core.label_model.unique_votes import UniqueVotes

_TIE = 1e-9

Gold = npt.NDArray[np.int8]


class Comparison(Protocol):
    """Scores of label models, higher is better.

    Attributes
    ----------
    measure
        What the score is.
    scores
        Of each model.
    """

    measure: str
    scores: Mapping[str, float]

    def clearly_better(self, one: str, other: str) -> bool:
        """Whether one is better by more than two standard errors of the paired difference."""
        ...


class ByHandLabels:
    """Share of the hand-labelled items with votes that is right; ties count as a fraction.

    Parameters
    ----------
    models
        Fitted on ``unique``.
    unique
        The votes.
    rows, labels
        int [g] and int8 [g], `hand_labelled`; g > 0.
    """

    def __init__(
        self,
        models: Mapping[str, LabelModel],
        unique: UniqueVotes,
        rows: npt.NDArray[np.intp],
        labels: Gold,
    ) -> None:
        self.measure = f"accuracy on {len(rows)} dev items with votes"
        self._right = {
            name: share_of_top(model.predict_unique(unique)[rows])[np.arange(len(rows)), labels]
            for name, model in models.items()
        }
        self.scores: Mapping[str, float] = {
            name: float(right.mean()) for name, right in self._right.items()
        }

    def clearly_better(self, one: str, other: str) -> bool:
        """See `Comparison.clearly_better`; paired over items."""
        difference = self._right[one] - self._right[other]
        error = difference.std() / len(difference) ** 0.5
        return bool(difference.mean() > max(2 * error, _TIE))


class ByLift:
    """`left_out_lift`, the mean over LFs.

    Parameters
    ----------
    models
        Fitted on ``unique``.
    unique
        The votes.
    alike
        See `left_out_lift`.
    """

    def __init__(
        self,
        models: Mapping[str, LabelModel],
        unique: UniqueVotes,
        alike: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.measure = "how much better than chance the other LFs' votes foretell an LF's own"
        self._votes = unique.counts @ (unique.patterns >= 0)
        self._lift = {name: left_out_lift(model, unique, alike) for name, model in models.items()}
        self.scores: Mapping[str, float] = {
            name: mean_and_gain(lift, lift, self._votes)[0] for name, lift in self._lift.items()
        }

    def clearly_better(self, one: str, other: str) -> bool:
        """See `Comparison.clearly_better`; paired over LFs."""
        _, gain, error = mean_and_gain(self._lift[one], self._lift[other], self._votes)
        return gain > max(2 * error, _TIE)


def hand_labelled(
    unique: UniqueVotes, gold: Gold | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int8]]:
    """Distinct row, int [g], and label, int8 [g], of every item with votes and a hand label.

    Parameters
    ----------
    unique
        The votes.
    gold
        int8 [n], −1 where there is no label; None: there are none.
    """
    if gold is None:
        return np.zeros(0, np.intp), np.zeros(0, np.int8)
    items = np.flatnonzero(gold >= 0)
    rows = unique.inverse[items].astype(np.intp)
    covered = unique.n_votes[rows] > 0
    return rows[covered], gold[items[covered]]


def straying(model: LabelModel, majority: LabelModel, unique: UniqueVotes) -> float:
    """Share of the items with votes that get a label which the majority does not give."""
    voted = (unique.patterns >= 0).any(axis=1)
    label = model.predict_unique(unique)[voted].argmax(axis=1)
    share = share_of_top(majority.predict_unique(unique)[voted])
    other = np.flatnonzero(share[np.arange(len(label)), label] == 0)
    counts = unique.counts[voted]
    return float(counts[other].sum() / max(counts.sum(), 1))
