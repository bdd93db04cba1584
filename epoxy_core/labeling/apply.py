"""Run labeling functions over items: votes, and an account of every error."""

from collections.abc import Sequence

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.columns import select, votes_of_column
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.per_item import call_per_item
from epoxy_core.labeling.result import LFResult, described, failed
from epoxy_core.labeling.space import VectorSpace
from epoxy_core.labeling.vectors import vector_column


def apply_labeling_function(
    lf: LabelingFunction,
    items: pl.DataFrame,
    classes: Sequence[str],
    space: VectorSpace | None = None,
) -> LFResult:
    """Votes of one labeling function on ``items``.

    An item on which the function raises, or returns something that is neither a class nor an
    abstain, abstains and is reported. An expression or vector function that fails as a whole is
    an error of every item. Nothing that they raise passes but ``KeyboardInterrupt`` and its like.

    Parameters
    ----------
    items
        The items frame, n rows, with a column ``item_id``.
    classes
        Class names in order.
    space
        The items' vectors; read only by a vector labeling function.

    Raises
    ------
    EpoxyError
        If a vector labeling function is run without ``space``.
    """
    return apply_labeling_functions([lf], items, classes, space)[0]


def apply_labeling_functions(
    lfs: Sequence[LabelingFunction],
    items: pl.DataFrame,
    classes: Sequence[str],
    space: VectorSpace | None = None,
) -> list[LFResult]:
    """Votes of several labeling functions, in order; all expressions run as one Polars query."""
    one_by_one = [position for position, lf in enumerate(lfs) if lf.kind == "item"]
    results: dict[int, LFResult] = {}
    if one_by_one:
        called = call_per_item([lfs[position] for position in one_by_one], items, classes)
        results |= zip(one_by_one, called, strict=True)
    expressions: dict[int, pl.Expr] = {}
    for position, lf in enumerate(lfs):
        if lf.kind == "item":
            continue
        if lf.needs_vectors:
            results[position] = _vote_on_vectors(lf, items, classes, space)
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


def _vote_on_vectors(
    lf: LabelingFunction,
    items: pl.DataFrame,
    classes: Sequence[str],
    space: VectorSpace | None,
) -> LFResult:
    if space is None:
        raise EpoxyError(
            f"{lf.name!r} votes by the items' embeddings, and there are none",
            where=str(lf.location or ""),
            remedy="Give apply_labeling_functions a VectorSpace of the items.",
        )
    try:
        column = vector_column(lf, items, space)
    except (Exception, SystemExit) as error:
        return failed(items, described(error))
    return votes_of_column(lf, column, items, classes)
