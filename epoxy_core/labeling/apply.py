"""Run labeling functions over items: votes, and an account of every error."""

from collections.abc import Sequence

import polars as pl

from epoxy_core.labeling.columns import select, votes_of_column
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.per_item import call_per_item
from epoxy_core.labeling.result import LFResult, described, failed


def apply_labeling_function(
    lf: LabelingFunction, items: pl.DataFrame, classes: Sequence[str]
) -> LFResult:
    """Votes of one labeling function on ``items``.

    An item on which the function raises, or returns something that is neither a class nor an
    abstain, abstains and is reported. An expression that fails as a whole is an error of every
    item. Nothing is raised but ``KeyboardInterrupt`` and its like.

    Parameters
    ----------
    items
        The items frame, n rows, with a column ``item_id``.
    classes
        Class names in order.
    """
    return apply_labeling_functions([lf], items, classes)[0]


def apply_labeling_functions(
    lfs: Sequence[LabelingFunction], items: pl.DataFrame, classes: Sequence[str]
) -> list[LFResult]:
    """Votes of several labeling functions, in order; all expressions run as one Polars query."""
    results: dict[int, LFResult] = {}
    expressions: dict[int, pl.Expr] = {}
    for position, lf in enumerate(lfs):
        if lf.kind == "item":
            results[position] = call_per_item(lf, items, classes)
            continue
        try:
            expressions[position] = lf.expression().alias(str(position))
        except (Exception, SystemExit) as error:
            results[position] = failed(items, described(error))
    for position, column in select(items, expressions).items():
        results[position] = (
            failed(items, column)
            if isinstance(column, str)
            else votes_of_column(lfs[position], column, items, classes)
        )
    return [results[position] for position in range(len(lfs))]
