"""Refinement: labels that votes and embeddings agree on, for the training set and the end model."""

from epoxy_core.refinement.choose import MAJORITY, PLAIN, REFINED, STAGE, FitModel, choose_labels
from epoxy_core.refinement.held_out import held_out_lift
from epoxy_core.refinement.joint import Evidence, Floats, Refined, refine
from epoxy_core.refinement.plain import (
    LEAST_PER_CLASS,
    as_they_are,
    kept_labels,
    trainable,
    unrefined,
)

__all__ = [
    "LEAST_PER_CLASS",
    "MAJORITY",
    "PLAIN",
    "REFINED",
    "STAGE",
    "Evidence",
    "FitModel",
    "Floats",
    "Refined",
    "as_they_are",
    "choose_labels",
    "held_out_lift",
    "kept_labels",
    "refine",
    "trainable",
    "unrefined",
]
