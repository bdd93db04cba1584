"""From all LFs' own and borrowed votes to probabilities: the label model and what it is fed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.errors import EpoxyError
from epoxy_core.extension import BorrowedVoteCalibration, NeighborGraph, propagate
from epoxy_core.label_model import ChosenLabelModel, extended_posterior, hard_labels
from epoxy_core.label_model.choose import ENOUGH_GOLD
from epoxy_core.label_model.dependencies import Dependencies
from epoxy_core.label_model.in_order import ChainInOrder, ItemOrder, order_choice
from epoxy_core.label_model.unique_votes import unique_votes
from epoxy_core.labeling import ABSTAIN
from epoxy_core.task import TASK_FILE, Task

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
    names
        The LFs' names; none needed where no setting or message names one.
    order
        Which items follow one another; None if that is not known.
    """

    own: Votes
    extended: Votes
    similarity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()
    order: ItemOrder | None = None


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
    in_sequence
        bool [n]: items in a sequence with votes.
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


def combine(
    task: Task,
    votes: VoteMatrices,
    reach: Reach,
    gold: npt.NDArray[np.int8],
    graph: NeighborGraph | None = None,
) -> Combined:
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
        int8 [n], dev labels, −1 elsewhere; read where the class balance or the label model is
        chosen by them.
    graph
        The items' neighbours; read, and needed, where ``extension.weighting`` is ``propagated``.
    """
    n_classes, hard = task.n_classes, task.extension.weighting == "hard"
    propagated = task.extension.weighting == "propagated"
    balance = class_balance(task, gold)
    strength = votes.strength  # that of an own vote is the LF's own
    unique = unique_votes(votes.own, strength, n_classes)
    model = ChosenLabelModel(
        n_classes,
        balance,
        method=task.label_model.method,
        dependencies=dependency_pairs(task, votes.names),
        names=votes.names,
    ).fit_unique(unique, gold)
    own = model.predict_unique(unique)[unique.inverse]
    judge: ChosenLabelModel | ChainInOrder = model
    in_order: tuple[Choice, ...] = ()
    in_sequence = np.zeros(len(own), np.bool_)
    if votes.order is not None:
        judge = ChainInOrder(n_classes, balance, votes.order).fit(votes.own, strength)
        static, own = own, judge.predict_proba(votes.own, strength)
        voted = (votes.own != ABSTAIN).any(axis=1)
        in_order = (order_choice(judge.gain_, own, static, voted, gold),)
        in_sequence = votes.order.with_votes(votes.own)
    calibration = BorrowedVoteCalibration(n_classes, floor=reach.floor)
    calibration.fit(own, votes.own, votes.extended, votes.similarity, judge.accuracy_)

    label_free = calibration.thresholds(share=0.5) if hard else calibration.thresholds_
    thresholds = np.where(reach.label_free, np.maximum(label_free, reach.least), reach.least)
    counts = (votes.own != ABSTAIN) | (votes.similarity >= thresholds)
    counted = np.where(counts, votes.extended, np.int8(ABSTAIN))
    if hard:
        extended = judge.predict_proba(counted, strength)
    else:
        weights = calibration.weight(votes.similarity, votes.extended, strength)
        extended = extended_posterior(own, votes.own, counted, weights)
    if propagated:
        assert graph is not None
        extended = _propagated(extended, votes.own, counted, in_sequence, graph)
    grid = np.broadcast_to(
        calibration.grid_.astype(np.float32)[:, None], (len(calibration.grid_), len(thresholds))
    )
    curves = calibration.weight(grid).T
    return Combined(
        majority=model.majority_.predict_unique(unique)[unique.inverse],
        own=own,
        extended=extended,
        in_sequence=in_sequence,
        counted=counted,
        accuracy=judge.accuracy_,
        thresholds=thresholds,
        evidence=judge.evidence_,
        silence=judge.silence_,
        balance=model.class_balance_,
        dependence=model.dependence_,
        choices=(*_balance_choice(task, gold, model), *model.choices_, *in_order),
        grid=calibration.grid_,
        curves=np.zeros_like(curves) if propagated else curves,
    )


def _propagated(
    calibrated: Floats,
    own_votes: Votes,
    counted: Votes,
    in_sequence: npt.NDArray[np.bool_],
    graph: NeighborGraph,
) -> Floats:
    """Replace the posterior of items that borrow by what the graph brings from items with votes.

    Which items those are is left to the thresholds: they lie where a borrowed vote is worth next
    to nothing, so an item without one is like nothing that was voted on, and a chain of
    neighbours says little of it. It also makes weightings comparable, on the same items. Every
    item starts from the calibrated posterior, which stays where an item borrows from beyond its
    neighbours and the graph reaches it from nowhere.
    """
    voted = (own_votes != ABSTAIN).any(axis=1)
    borrows = (counted != ABSTAIN).any(axis=1) & ~voted
    found = propagate(calibrated, voted | in_sequence, graph)
    return np.where(borrows[:, None], found, calibrated)


def fit_posterior(
    task: Task, votes: Votes, strength: npt.NDArray[np.float32] | None, gold: npt.NDArray[np.int8]
) -> Floats:
    """Fit the task's label model on any votes, as of part of the items or of the LFs.

    Parameters
    ----------
    task
        Names the label model and the class balance.
    votes, strength
        int8 and float32 [r, m], see `VoteMatrices`. Dependencies that are given by name are found
        from the votes here.
    gold
        int8 [n], all dev labels, −1 elsewhere; for the class balance only.

    Returns
    -------
    float64 [r, K].
    """
    unique = unique_votes(votes, strength, task.n_classes)
    model = ChosenLabelModel(
        task.n_classes,
        class_balance(task, gold),
        method=task.label_model.method,
        dependencies=None if task.label_model.dependencies == "none" else "auto",
    ).fit_unique(unique)
    return np.asarray(model.predict_unique(unique)[unique.inverse])


def class_balance(task: Task, gold: npt.NDArray[np.int8]) -> list[float] | None:
    """The classes' shares, where they are set or there are dev labels enough; else None.

    The dev labels' shares are those with one more item of each class: the mean of a posterior
    from a uniform Dirichlet prior.

    Parameters
    ----------
    task
        Whose ``label_model.class_balance`` counts.
    gold
        int8 [n], −1 where an item is not in the dev split.
    """
    setting = task.label_model.class_balance
    if isinstance(setting, list):
        return setting
    known = gold[gold >= 0]
    if setting == "dev" or (setting == "auto" and len(known) >= ENOUGH_GOLD):
        counts = np.bincount(known, minlength=task.n_classes) + 1.0
        return [float(share) for share in counts / counts.sum()]
    return [1 / task.n_classes] * task.n_classes if setting == "uniform" else None


def _balance_choice(
    task: Task, gold: npt.NDArray[np.int8], model: ChosenLabelModel
) -> list[Choice]:
    """Why the class balance is what it is, if that was left to us."""
    if task.label_model.class_balance != "auto":
        return []
    n = int((gold >= 0).sum())
    if n >= ENOUGH_GOLD:
        chosen, reason = "dev", f"There are {n} dev labels."
    elif model.class_balance_ is not None:
        chosen, reason = "learned", "The classes explain how often LFs vote together."
    else:
        chosen, reason = "uniform", f"{n} dev labels are too few, and votes alone do not tell it."
    if model.class_balance_ is not None:
        shares = zip(task.classes, model.class_balance_, strict=True)
        reason += " " + ", ".join(f"{name} {share:.0%}" for name, share in shares) + "."
    return [Choice("class balance", chosen, reason)]


def dependency_pairs(task: Task, names: Sequence[str]) -> Dependencies:
    """Pairs of columns for the pairs of names in the task's settings.

    Raises
    ------
    EpoxyError
        If one is no labeling function of the task, or a pair names one twice.
    """
    setting = task.label_model.dependencies
    if setting == "auto":
        return "auto"
    if setting == "none":
        return None
    column = {name: lf for lf, name in enumerate(names)}
    for pair in setting:
        wrong = next((name for name in pair if name not in column), None)
        if wrong is not None or pair[0] == pair[1]:
            problem = (
                f"{wrong!r} is no labeling function" if wrong else f"{pair[0]!r} is there twice"
            )
            raise EpoxyError(
                problem,
                where=f"{task.folder / TASK_FILE}: label_model.dependencies",
                remedy="Name pairs of labeling functions of this task.",
            )
    return [(column[one], column[other]) for one, other in setting]
