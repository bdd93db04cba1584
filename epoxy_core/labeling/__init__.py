"""Labeling functions: written, loaded, told apart by what they do, run and summarised."""

from epoxy_core.labeling.apply import (
    LFError,
    LFResult,
    apply_labeling_function,
    apply_labeling_functions,
)
from epoxy_core.labeling.fingerprint import fingerprint
from epoxy_core.labeling.heuristics import keywords, length, lookup, regex
from epoxy_core.labeling.lf import (
    ABSTAIN,
    LabelingFunction,
    SourceLocation,
    expression_labeling_function,
    labeling_function,
)
from epoxy_core.labeling.load import load_labeling_functions
from epoxy_core.labeling.summary import lf_summary

__all__ = [
    "ABSTAIN",
    "LFError",
    "LFResult",
    "LabelingFunction",
    "SourceLocation",
    "apply_labeling_function",
    "apply_labeling_functions",
    "expression_labeling_function",
    "fingerprint",
    "keywords",
    "labeling_function",
    "length",
    "lf_summary",
    "load_labeling_functions",
    "lookup",
    "regex",
]
