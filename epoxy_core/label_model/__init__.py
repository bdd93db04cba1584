"""Label models: votes to P(class), for any number of classes from two."""

from epoxy_core.label_model.base import LabelModel, hard_labels, validate_votes, vote_patterns
from epoxy_core.label_model.dawid_skene import DawidSkene
from epoxy_core.label_model.extended import extended_posterior
from epoxy_core.label_model.factory import make_label_model
from epoxy_core.label_model.majority_vote import MajorityVote
from epoxy_core.label_model.triplets import Triplets

__all__ = [
    "DawidSkene",
    "LabelModel",
    "MajorityVote",
    "Triplets",
    "extended_posterior",
    "hard_labels",
    "make_label_model",
    "validate_votes",
    "vote_patterns",
]
