"""Epoxy: labeling functions, extended through embeddings, combined by a label model."""

from epoxy_core.cpu import choose_kernels

choose_kernels()
