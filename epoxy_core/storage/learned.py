"""What the label model learned: the tables ``label_model``, ``choices`` and ``evidence``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from epoxy_core.combine import Combined
from epoxy_core.label_model.choose import STAGES
from epoxy_core.label_model.dependencies import weights
from epoxy_core.label_model.order_choice import STAGE as IN_ORDER
from epoxy_core.storage.choices import put_choices
from epoxy_core.storage.database import put
from epoxy_core.storage.history import put_evidence

if TYPE_CHECKING:
    import duckdb


def put_learned(
    connection: "duckdb.DuckDBPyConnection",
    names: Sequence[str],
    combined: Combined,
    estimates: pl.DataFrame | None,
) -> pl.DataFrame:
    """Replace what was learned, within the caller's transaction.

    Parameters
    ----------
    connection
        Inside ``Database.write``.
    names
        The m labeling functions.
    combined
        What was learned of them.
    estimates
        Their estimated accuracies (`LFAccuracy.by_lf`); None: not known yet.

    Returns
    -------
    The rows of ``label_model``.
    """
    if estimates is None:
        nothing = pl.lit(None, pl.Float64)
        estimates = pl.DataFrame({"lf": list(names)}, schema={"lf": pl.String}).with_columns(
            estimated_accuracy=nothing, accuracy_low=nothing, accuracy_high=nothing
        )
    learned = estimates.with_columns(
        threshold=pl.Series(combined.thresholds),
        weight=pl.Series(weights(combined.dependence)),
        depends_on=_dependent(names, combined.dependence),
    )
    put(connection, "label_model", learned)
    put_choices(connection, combined.choices, (*STAGES, IN_ORDER))
    put_evidence(
        connection,
        names,
        combined.evidence,
        combined.silence,
        combined.thresholds,
        combined.grid,
        combined.curves,
    )
    return learned


def _dependent(names: Sequence[str], dependence: np.ndarray) -> pl.Series:
    """The LFs that vote like each LF whatever the class, the most alike first."""
    order = np.argsort(-dependence, axis=1, kind="stable")
    alike = [
        [names[other] for other in others if row[other] > 0]
        for row, others in zip(dependence, order, strict=True)
    ]
    return pl.Series("depends_on", alike, dtype=pl.List(pl.String))
