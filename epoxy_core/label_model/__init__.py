"""Label models: votes to P(class), for any number of classes from two."""

from epoxy_core.label_model.base import (
    LabelModel,
    hard_labels,
    softmax,
    validate_votes,
)
from epoxy_core.label_model.choose import ChosenLabelModel
from epoxy_core.label_model.dawid_skene import DawidSkene
from epoxy_core.label_model.extended import extended_posterior
from epoxy_core.label_model.factory import make_label_model
from epoxy_core.label_model.majority_vote import MajorityVote
from epoxy_core.label_model.multi_label import MultiLabel
from epoxy_core.label_model.patterns import vote_patterns
from epoxy_core.label_model.triplets import Triplets
from epoxy_core.label_model.vote_evidence import VoteEvidence

__all__ = [
    "ChosenLabelModel",
    "DawidSkene",
    "LabelModel",
    "MajorityVote",
    "MultiLabel",
    "Triplets",
    "VoteEvidence",
    "extended_posterior",
    "hard_labels",
    "make_label_model",
    "softmax",
    "validate_votes",
    "vote_patterns",
]
