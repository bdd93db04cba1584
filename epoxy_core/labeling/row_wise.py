"""Whether a labeling function's vote on an item depends on that item alone."""

import polars as pl

from epoxy_core.labeling.lf import LabelingFunction

_KEPT = "__kept"


def is_row_wise(lf: LabelingFunction, items: pl.DataFrame) -> bool:
    """Whether votes on some of the items are those that it casts on them among all.

    Of an expression Polars says so, and False is said where it does not. Functions of vectors see
    all of them at once.

    Parameters
    ----------
    items
        Any rows of the items frame: its columns count.
    """
    if lf.kind in ("item", "heuristic"):
        return True
    if lf.kind != "expression":
        return False
    try:
        expression = lf.expression()
        if b"AnonymousFunction" in expression.meta.serialize():  # Python: who knows
            return False
        kept = {**items.schema, _KEPT: pl.Boolean()}
        plan = pl.LazyFrame(schema=kept).with_columns(expression.alias("__vote")).filter(_KEPT)
        # Rows are filtered before a column is made only if the column does not change by it.
        return plan.explain().lstrip().startswith("WITH_COLUMNS")
    except (Exception, SystemExit):  # it will say why when it is run
        return False
