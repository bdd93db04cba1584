"""Labels as the label model gives them, for what refinement must beat."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model import (
    EndModelHead,
    LinearHead,
    cut_statistic,
    mix_gold,
    out_of_fold,
    select,
)
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors import NeighborGraph
from epoxy_core.refinement.joint import Evidence, Floats, Refined

LEAST_PER_CLASS = 10
"""Labels that two classes need each before a classifier, cross-fitted, can tell them apart."""


def trainable(evidence: Evidence, posterior: Floats) -> bool:
    """Whether there are weak labels enough, of two classes with hand labels counted.

    Parameters
    ----------
    evidence
        Of n items.
    posterior
        float64 [n, K], whose most probable classes are the weak labels.
    """
    if np.count_nonzero(evidence.weak) < 2 * LEAST_PER_CLASS:
        return False
    labels = np.where(evidence.weak, posterior.argmax(axis=1), evidence.gold)
    counts = np.bincount(labels[labels != ABSTAIN], minlength=posterior.shape[1])
    return int((counts >= LEAST_PER_CLASS).sum()) >= 2


def unrefined(
    evidence: Evidence,
    posterior: Floats,
    graph: NeighborGraph,
    keep: float,
    *,
    make_head: Callable[[int], EndModelHead] | None = None,
) -> Refined:
    """Take the label model's most probable classes, and of them those the neighbours share.

    Hard labels after the cut statistic (Lang et al. 2022): the best use of a label model's
    posterior as it is, which is too flat to be trained on softly.

    Parameters
    ----------
    evidence
        Of n items.
    posterior
        float64 [n, K], of the label model.
    graph
        Neighbour graph of the n items.
    keep
        Share of the weak labels to keep.
    make_head
        Makes the classifier for K classes; by default logistic regression on hard labels.

    Raises
    ------
    EpoxyError
        If there are too few items to train on, or items of one class only.
    """
    make = make_head or LinearHead
    plain = as_they_are(evidence, posterior, kept_labels(evidence, posterior, graph, keep))
    classifier = out_of_fold(
        lambda: make(posterior.shape[1]),
        evidence.features,
        plain.targets,
        plain.weight,
        folds=evidence.folds,
    )
    return plain._replace(classifier=classifier)


def as_they_are(evidence: Evidence, posterior: Floats, kept: npt.NDArray[np.bool_]) -> Refined:
    """The label model's most probable classes of the kept items, and hand labels, unjudged.

    Parameters
    ----------
    evidence
        Of n items.
    posterior
        float64 [n, K], of the label model; it stands in for a classifier's.
    kept
        bool [n], weak items to train on.
    """
    n_classes, hand = posterior.shape[1], np.flatnonzero(evidence.gold != ABSTAIN)
    targets, weight = mix_gold(
        np.eye(n_classes)[posterior.argmax(axis=1)],
        kept.astype(float),
        hand,
        evidence.gold[hand],
        n_classes,
    )
    return Refined(posterior, posterior, targets, weight, ())


def kept_labels(
    evidence: Evidence, posterior: Floats, graph: NeighborGraph, keep: float
) -> npt.NDArray[np.bool_]:
    """Weak items with the lowest cut statistic, bool [n]."""
    if keep == 1:
        return evidence.weak
    labels = np.where(evidence.weak, posterior.argmax(axis=1), ABSTAIN).astype(np.int8)
    return select(cut_statistic(labels, graph, posterior.shape[1]), labels, keep)
