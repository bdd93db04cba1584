"""From all LFs' own and borrowed votes to probabilities: the label model and what it is fed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension import BorrowedVoteCalibration
from epoxy_core.label_model import MajorityVote, extended_posterior, hard_labels, make_label_model
from epoxy_core.labeling import ABSTAIN
from epoxy_core.task import Task

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class VoteMatrices:
    """Own and borrowed votes of all labeling functions, one column each.

    Attributes
    ----------
    own
        int8 [n, m]: votes of the LFs themselves.
    extended
        int8 [n, m]: own votes, and candidates to borrow.
    similarity
        float32 [n, m]: of the item whose vote it is; 1 for an own vote, NaN for an abstain.
    strength
        float32 [n, m]: the LF's own probability of the extended votes, 1 for a plain vote and an
        abstain; None where no vote is soft.
    """

    own: Votes
    extended: Votes
    similarity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far each LF's votes were lent.

    Attributes
    ----------
    least
        float64 [m]: no candidate is less similar than this.
    label_free
        bool [m]: whether the threshold is still to be found, from how borrowed votes agree.
    floor
        Similarity of unrelated items.
    """

    least: Floats
    label_free: npt.NDArray[np.bool_]
    floor: float


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """What the votes say of every item, by stage, and what was learned of every LF.

    Attributes
    ----------
    majority, own, extended
        float64 [n, K]: majority vote, the label model on own votes, and with borrowed votes.
    counted
        int8 [n, m]: own votes, and the borrowed ones at or above their threshold.
    accuracy
        float64 [m]: estimated P(vote correct | voted).
    thresholds
        float64 [m]: least similarity at which a borrowed vote counts.
    evidence
        float64 [m, S, K]: ``evidence[j, v, k]`` is what LF j's own vote v adds to log P(class k);
        S is 2K if there are votes against a class.
    grid, curves
        float64 [g], [m, g]: what a borrowed vote for a class adds to it, against similarity.
    """

    majority: Floats
    own: Floats
    extended: Floats
    counted: Votes
    accuracy: Floats
    thresholds: Floats
    evidence: Floats
    grid: Floats
    curves: Floats

    @property
    def reached(self) -> npt.NDArray[np.bool_]:
        """Bool [n]: items with an own or counted borrowed vote."""
        return np.asarray((self.counted != ABSTAIN).any(axis=1))

    @property
    def labels(self) -> Votes:
        """int8 [n]: the most probable class with borrowed votes, −1 for items without votes."""
        return np.where(self.reached, hard_labels(self.extended), np.int8(ABSTAIN))


def combine(task: Task, votes: VoteMatrices, reach: Reach, gold: npt.NDArray[np.int8]) -> Combined:
    """Fit the task's label model on own votes, then add the borrowed ones.

    Fitting on borrowed votes is what makes label models collapse: they share one embedding, so
    they are not independent. Their worth is calibrated instead, by similarity and without labels.

    Parameters
    ----------
    task
        Names the label model and the weighting of borrowed votes.
    votes
        All LFs' votes.
    reach
        How far they were lent.
    gold
        int8 [n], dev labels, −1 elsewhere; read if the class balance is to be theirs.
    """
    n_classes, hard = task.n_classes, task.extension.weighting == "hard"
    balance = class_balance(task, gold)
    strength = votes.strength  # that of an own vote is the LF's own
    majority = MajorityVote(n_classes, balance).fit(votes.own, strength)
    model = make_label_model(task.label_model.method, n_classes, balance).fit(votes.own, strength)
    own = model.predict_proba(votes.own, strength)
    calibration = BorrowedVoteCalibration(n_classes, floor=reach.floor)
    calibration.fit(own, votes.own, votes.extended, votes.similarity, model.accuracy_)

    label_free = calibration.thresholds(share=0.5) if hard else calibration.thresholds_
    thresholds = np.where(reach.label_free, np.maximum(label_free, reach.least), reach.least)
    counts = (votes.own != ABSTAIN) | (votes.similarity >= thresholds)
    counted = np.where(counts, votes.extended, np.int8(ABSTAIN))
    if hard:
        extended = model.predict_proba(counted, strength)
    else:
        weights = calibration.weight(votes.similarity, votes.extended, strength)
        extended = extended_posterior(own, votes.own, counted, weights)
    grid = np.broadcast_to(
        calibration.grid_.astype(np.float32)[:, None], (len(calibration.grid_), len(thresholds))
    )
    return Combined(
        majority=majority.predict_proba(votes.own, strength),
        own=own,
        extended=extended,
        counted=counted,
        accuracy=model.accuracy_,
        thresholds=thresholds,
        evidence=model.evidence_,
        grid=calibration.grid_,
        curves=calibration.weight(grid).T,
    )


def class_balance(task: Task, gold: npt.NDArray[np.int8]) -> list[float] | None:
    """The given shares; those of the dev labels, with one more item of each; None for uniform.

    Parameters
    ----------
    task
        Whose ``label_model.class_balance`` counts.
    gold
        int8 [n], −1 where an item is not in the dev split.
    """
    setting = task.label_model.class_balance
    if setting == "dev":
        counts = np.bincount(gold[gold >= 0], minlength=task.n_classes) + 1.0
        return [float(share) for share in counts / counts.sum()]
    return setting if isinstance(setting, list) else None
