"""Labeling functions: written, loaded, told apart by what they do, run and summarised."""

from epoxy_core.labeling.apply import apply_labeling_function, apply_labeling_functions
from epoxy_core.labeling.fingerprint import fingerprint
from epoxy_core.labeling.heuristics import keywords, length, lookup, regex
from epoxy_core.labeling.lf import (
    LabelingFunction,
    SourceLocation,
    expression_labeling_function,
    labeling_function,
)
from epoxy_core.labeling.load import load_labeling_functions
from epoxy_core.labeling.multi_label import HAS, HAS_NOT, MultiLabelReader, multi_label_votes
from epoxy_core.labeling.result import LFError, LFResult
from epoxy_core.labeling.summary import lf_summary
from epoxy_core.labeling.symbols import (
    allowed,
    beyond_chance,
    chance,
    fractions,
    has_negative,
    log_odds_added,
    spread,
    symbol_names,
)
from epoxy_core.labeling.votes import ABSTAIN, Not, Soft

__all__ = [
    "ABSTAIN",
    "HAS",
    "HAS_NOT",
    "LFError",
    "LFResult",
    "LabelingFunction",
    "MultiLabelReader",
    "Not",
    "Soft",
    "SourceLocation",
    "allowed",
    "apply_labeling_function",
    "apply_labeling_functions",
    "beyond_chance",
    "chance",
    "expression_labeling_function",
    "fingerprint",
    "fractions",
    "has_negative",
    "keywords",
    "labeling_function",
    "length",
    "lf_summary",
    "load_labeling_functions",
    "log_odds_added",
    "lookup",
    "multi_label_votes",
    "regex",
    "spread",
    "symbol_names",
]
