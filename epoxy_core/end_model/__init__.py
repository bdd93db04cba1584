"""The end model, and which labelled items it is trained on."""

from epoxy_core.end_model.linear import LinearHead
from epoxy_core.end_model.selection import cut_statistic, select

__all__ = ["LinearHead", "cut_statistic", "select"]
