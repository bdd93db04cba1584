"""Epoxy: labeling functions, extended through embeddings, combined by a label model."""
