"""Refinement: labels that votes and embeddings agree on, for the training set and the end model."""

from epoxy_core.refinement.joint import Evidence, Refined, refine

__all__ = ["Evidence", "Refined", "refine"]
