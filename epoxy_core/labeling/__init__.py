"""Labeling functions: written, loaded, told apart by what they do, run and summarised."""

from epoxy_core.labeling.apply import apply_labeling_function, apply_labeling_functions
from epoxy_core.labeling.decorators import (
    expression_labeling_function,
    labeling_function,
    vector_labeling_function,
)
from epoxy_core.labeling.fingerprint import fingerprint
from epoxy_core.labeling.heuristics import between, keywords, length, lookup, regex
from epoxy_core.labeling.lf import LabelingFunction, SourceLocation
from epoxy_core.labeling.load import load_labeling_functions
from epoxy_core.labeling.multi_label import HAS, HAS_NOT, MultiLabelReader, multi_label_votes
from epoxy_core.labeling.result import LFError, LFResult
from epoxy_core.labeling.row_wise import is_row_wise
from epoxy_core.labeling.space import QueryEncoder, VectorSpace
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
from epoxy_core.labeling.vector_heuristics import prompts, similar
from epoxy_core.labeling.vectors import check_examples
from epoxy_core.labeling.votes import ABSTAIN, Not, Soft
from epoxy_core.labeling.windows import after, before, lasts, rolling_mean, within

__all__ = [
    "ABSTAIN",
    "HAS",
    "HAS_NOT",
    "LFError",
    "LFResult",
    "LabelingFunction",
    "MultiLabelReader",
    "Not",
    "QueryEncoder",
    "Soft",
    "SourceLocation",
    "VectorSpace",
    "after",
    "allowed",
    "apply_labeling_function",
    "apply_labeling_functions",
    "before",
    "between",
    "beyond_chance",
    "chance",
    "check_examples",
    "expression_labeling_function",
    "fingerprint",
    "fractions",
    "has_negative",
    "is_row_wise",
    "keywords",
    "labeling_function",
    "lasts",
    "length",
    "lf_summary",
    "load_labeling_functions",
    "log_odds_added",
    "lookup",
    "multi_label_votes",
    "prompts",
    "regex",
    "rolling_mean",
    "similar",
    "spread",
    "symbol_names",
    "vector_labeling_function",
    "within",
]
