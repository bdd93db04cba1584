"""Refinement: labels that votes and embeddings agree on, for the training set and the end model."""

from epoxy_core.refinement.choose import MAJORITY, PLAIN, REFINED, STAGE, FitModel, choose_labels
from epoxy_core.refinement.held_out import held_out_lift
from epoxy_core.refinement.joint import Evidence, Floats, Refined, refine
from epoxy_core.refinement.plain import as_they_are, kept_labels, unrefined

__all__ = [
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
    "unrefined",
]
