"""The end model, what it is trained on, and how sure it may be."""

from epoxy_core.end_model.calibration import Scaling, fit_scaling
from epoxy_core.end_model.card import ModelCard
from epoxy_core.end_model.examples import Embeddings
from epoxy_core.end_model.factory import load_head, make_head
from epoxy_core.end_model.files import card_path
from epoxy_core.end_model.gold import mix_gold
from epoxy_core.end_model.head import EndModelHead
from epoxy_core.end_model.linear import LinearHead
from epoxy_core.end_model.mlp import MLPHead
from epoxy_core.end_model.out_of_fold import assign_folds, out_of_fold
from epoxy_core.end_model.selection import cut_statistic, select

__all__ = [
    "Embeddings",
    "EndModelHead",
    "LinearHead",
    "MLPHead",
    "ModelCard",
    "Scaling",
    "assign_folds",
    "card_path",
    "cut_statistic",
    "fit_scaling",
    "load_head",
    "make_head",
    "mix_gold",
    "out_of_fold",
    "select",
]
