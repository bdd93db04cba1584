"""From all LFs' own and borrowed votes to probabilities."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from epoxy_core.blas import one_thread
from epoxy_core.choices import Choice
from epoxy_core.combine.borrowed import count_votes
from epoxy_core.combine.combined import ByPattern, Combined
from epoxy_core.combine.settings import balance_choice, class_balance, dependency_pairs
from epoxy_core.combine.votes import Floats, Reach, VoteColumns, VoteMatrices, Votes
from epoxy_core.extension import BorrowedVoteCalibration, propagate
from epoxy_core.label_model import ChosenLabelModel, hard_labels
from epoxy_core.label_model.in_order import ChainInOrder
from epoxy_core.label_model.order_choice import CHAIN, order_choice
from epoxy_core.label_model.unique_votes import unique_votes
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors import NeighborGraph
from epoxy_core.task import Task


def combine(
    task: Task,
    votes: VoteMatrices | VoteColumns,
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
        All LFs' votes. Those by column are not checked.
    reach
        How far they were lent.
    gold
        int8 [n], dev labels, −1 elsewhere; read where the class balance or the label model is
        chosen by them. Of items in order, neighbours of one class count once.
    graph
        The items' neighbours; read, and needed, where ``extension.weighting`` is ``propagated``.
    """
    n_classes, hard = task.n_classes, task.extension.weighting == "hard"
    propagated = task.extension.weighting == "propagated"
    judges = gold if votes.order is None else votes.order.one_per_stretch(gold)
    balance = class_balance(task, gold, judges)
    unique, cast = votes.unique(n_classes), votes.columns()
    with one_thread():
        model = ChosenLabelModel(
            n_classes,
            balance,
            method=task.label_model.method,
            dependencies=dependency_pairs(task, votes.names),
            names=votes.names,
        ).fit_unique(unique, judges)
        by_own = ByPattern(model.predict_unique(unique), unique.inverse)
        by_majority = ByPattern(model.majority_.predict_unique(unique), unique.inverse)
    judge: ChosenLabelModel | ChainInOrder = model
    in_order: tuple[Choice, ...] = ()
    in_sequence = np.zeros(cast.n, np.bool_)
    if votes.order is not None:
        own, strength = cast.own_matrix(), cast.strength_matrix()
        chain = ChainInOrder(n_classes, model.class_balance_, votes.order)
        chain.fit(own, strength)
        ordered = chain.predict_proba(own, strength)
        given = task.label_model.sequence != "auto"
        choice = order_choice(chain, ordered, by_own.of_items(), own, strength, judges, given=given)
        in_order = (choice,)
        if choice.chosen == CHAIN:
            judge, by_own = chain, ByPattern(ordered, np.arange(cast.n, dtype=np.int32))
            in_sequence = votes.order.with_votes(own)
    covered = unique.n_votes > 0
    calibration = BorrowedVoteCalibration(n_classes, floor=reach.floor)
    calibration.fit_columns(
        by_own.values,
        by_own.row,
        np.flatnonzero(covered[unique.inverse]).astype(np.int32),
        cast.own,
        cast.extended,
        cast.similarity,
        judge.accuracy_,
    )
    label_free = calibration.thresholds(share=0.5) if hard else calibration.thresholds_
    thresholds = np.where(reach.label_free, np.maximum(label_free, reach.least), reach.least)
    counted = count_votes(
        cast, by_own, covered, unique.inverse, thresholds, calibration, in_sequence
    )
    posterior, labels = counted.posterior, counted.labels
    if hard:
        posterior = judge.predict_proba(cast.counted(thresholds), cast.strength_matrix())
    if propagated:
        assert graph is not None
        voted = covered[unique.inverse]
        posterior = _propagated(posterior, voted | in_sequence, counted.borrows, graph)
    if hard or propagated:
        labels = np.where(counted.reached, hard_labels(posterior), np.int8(ABSTAIN))
    curves = calibration.curve_weights()
    return Combined(
        by_majority=by_majority,
        by_own=by_own,
        extended=posterior,
        reached=counted.reached,
        labels=labels,
        in_sequence=in_sequence,
        votes=replace(cast, codes=None),
        unique=unique,
        n_counted=counted.n_counted,
        accuracy=judge.accuracy_,
        thresholds=thresholds,
        evidence=judge.evidence_,
        silence=judge.silence_,
        balance=model.class_balance_,
        known_balance=balance,
        dependence=model.dependence_,
        choices=(*balance_choice(task, gold, judges, model), *model.choices_, *in_order),
        grid=calibration.grid_,
        curves=np.zeros_like(curves) if propagated else curves,
    )


def _propagated(
    calibrated: Floats,
    informed: npt.NDArray[np.bool_],
    borrows: npt.NDArray[np.bool_],
    graph: NeighborGraph,
) -> Floats:
    """Replace the posterior of items that borrow by what the graph brings from items with votes.

    Which items those are is left to the thresholds: they lie where a borrowed vote is worth next
    to nothing, so an item without one is like nothing that was voted on, and a chain of
    neighbours says little of it. It also makes weightings comparable, on the same items. Every
    item starts from the calibrated posterior, which stays where an item borrows from beyond its
    neighbours and the graph reaches it from nowhere.
    """
    found = propagate(calibrated, informed, graph)
    return np.where(borrows[:, None], found, calibrated)


def fit_posterior(
    task: Task,
    votes: Votes,
    strength: npt.NDArray[np.float32] | None,
    balance: Sequence[float] | None,
) -> Floats:
    """Fit the task's label model on any votes, as of part of the items or of the LFs.

    Parameters
    ----------
    task
        Names the label model.
    votes, strength
        int8 and float32 [r, m], see `VoteMatrices`. Dependencies that are given by name are found
        from the votes here.
    balance
        The classes' shares, [K]; None: unknown.

    Returns
    -------
    float64 [r, K].
    """
    unique = unique_votes(votes, strength, task.n_classes)
    model = ChosenLabelModel(
        task.n_classes,
        balance,
        method=task.label_model.method,
        dependencies=None if task.label_model.dependencies == "none" else "auto",
    ).fit_unique(unique)
    return np.asarray(model.predict_unique(unique)[unique.inverse])
