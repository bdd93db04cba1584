"""Which labels the items are trained with: the label model's, or refined by a classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.end_model import fit_scaling
from epoxy_core.label_model import MajorityVote
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors import NeighborGraph
from epoxy_core.refinement import (
    LEAST_PER_CLASS,
    MAJORITY,
    PLAIN,
    REFINED,
    STAGE,
    Evidence,
    FitModel,
    Floats,
    Refined,
    as_they_are,
    choose_labels,
    kept_labels,
    refine,
    trainable,
    unrefined,
)
from epoxy_core.task import Task

KEPT_UNREFINED = 0.8
"""Best on the mean of the sets it was tried on; 0.5 to 0.8 are within noise."""
ENOUGH_FOR_TEMPERATURE = 20
"""Hand labels to calibrate probabilities by."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLabels:
    """Labels to train with.

    Attributes
    ----------
    method
        `REFINED`, `PLAIN` or `MAJORITY`.
    found
        Posterior, targets and weights of all items.
    choice
        Why it is that method.
    """

    method: str
    found: Refined
    choice: Choice


def training_labels(
    task: Task,
    evidence: Evidence,
    hand_labels: npt.NDArray[np.int8],
    posterior: Floats,
    graph: NeighborGraph,
    fit: FitModel,
    class_balance: Sequence[float] | None,
) -> TrainingLabels:
    """Label the items to train on as the task asks.

    Parameters
    ----------
    task
        Whose ``training_set`` counts.
    evidence
        Of n items, with the hand labels that may be trained on.
    hand_labels
        int8 [n], all that may be measured by, −1 elsewhere.
    posterior
        float64 [n, K], of the label model.
    graph
        Neighbour graph of the n items.
    fit
        The label model on part of the votes: votes and strengths to P(class).
    class_balance
        The classes' shares, [K]; None: unknown.
    """
    settings, n_classes = task.training_set, task.n_classes
    unrefined_keep = KEPT_UNREFINED if settings.keep == "auto" else settings.keep

    def majority(votes: npt.NDArray[np.int8], strength: npt.NDArray[np.float32] | None) -> Floats:
        return (
            MajorityVote(n_classes, class_balance)
            .fit(votes, strength)
            .predict_proba(votes, strength)
        )

    if not trainable(evidence, posterior):
        reason = f"Too few items for a classifier: two classes need {LEAST_PER_CLASS} labels each."
        kept = kept_labels(evidence, posterior, graph, unrefined_keep)
        plain = as_they_are(evidence, posterior, kept)
        return TrainingLabels(PLAIN, plain, Choice(STAGE, PLAIN, reason))
    if settings.refine == "auto":
        method, choice = choose_labels(
            evidence, hand_labels, graph, fit, majority, class_balance, unrefined_keep
        )
    else:
        method = REFINED if settings.refine == "always" else PLAIN
        choice = Choice(STAGE, method, f"training_set.refine is {settings.refine}.")
    if method == MAJORITY:
        found = unrefined(evidence, majority(evidence.votes, evidence.strength), graph, 1.0)
    elif method == PLAIN:
        found = unrefined(evidence, posterior, graph, unrefined_keep)
    else:
        found = refine(evidence, n_classes, class_balance)
        if settings.keep not in ("auto", 1.0):
            kept = kept_labels(evidence, found.posterior, graph, float(settings.keep))
            dropped = evidence.weak & ~kept
            found = found._replace(weight=np.where(dropped, 0.0, found.weight))
    return TrainingLabels(method, _calibrated(found, hand_labels), choice)


def _calibrated(found: Refined, hand_labels: npt.NDArray[np.int8]) -> Refined:
    """Fit the posterior's temperature to hand labels, each unseen by what is said of its item.

    Votes and classifier are taken to err independently; as they do not, together they are too
    sure. Of four sets this halves the calibration error on one and takes a third off another; the
    other two were calibrated before.
    """
    hand = np.flatnonzero(hand_labels != ABSTAIN)
    if len(hand) < ENOUGH_FOR_TEMPERATURE:
        return found
    scaling = fit_scaling(found.posterior[hand], hand_labels[hand])
    return found._replace(posterior=scaling.rescale(found.posterior))
