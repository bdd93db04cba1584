"""How right each labeling function is: estimated without labels, and counted on the dev labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.combine import Combined
from epoxy_core.label_model.dev_votes import dev_interval
from epoxy_core.label_model.intervals import accuracy_intervals
from epoxy_core.labeling import ABSTAIN, allowed, symbol_names
from epoxy_core.task import Task

BY_LF = {
    "lf": pl.String,
    "estimated_accuracy": pl.Float64,
    "accuracy_low": pl.Float64,
    "accuracy_high": pl.Float64,
}
BY_VOTE = {
    "lf": pl.String,
    "class": pl.String,
    "n_votes": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "dev_votes": pl.Int64,
    "dev_accuracy": pl.Float64,
    "dev_low": pl.Float64,
    "dev_high": pl.Float64,
}


@dataclass(frozen=True, slots=True, eq=False)
class LFAccuracy:
    """Figures of m labeling functions.

    Attributes
    ----------
    by_lf
        ``lf``, ``estimated_accuracy``, ``accuracy_low``, ``accuracy_high``; null without votes.
    by_vote
        Rows of the table ``lf_accuracy``.
    """

    by_lf: pl.DataFrame
    by_vote: pl.DataFrame


def lf_accuracy(
    task: Task,
    names: Sequence[str],
    own: npt.NDArray[np.int8],
    combined: Combined,
    gold: npt.NDArray[np.int8],
) -> LFAccuracy:
    """Estimate accuracies with 90 % intervals; takes a tenth of a second or so.

    Parameters
    ----------
    task
        Names the classes.
    names
        m labeling functions.
    own
        int8 [n, m], their own votes.
    combined
        What the label model made of them; it has a say.
    gold
        int8 [n], dev labels, −1 elsewhere: counted beside the estimate, which does not see them.
    """
    found = accuracy_intervals(
        own,
        task.n_classes,
        combined.known_balance,
        silence=True if combined.silence.any() else None,
        accuracy=combined.accuracy,
        posterior=combined.own if combined.in_sequence.any() else None,
    )
    figures = (list(names), found.accuracy, found.accuracy_low, found.accuracy_high)
    by_lf = pl.DataFrame(dict(zip(BY_LF, figures, strict=True)), schema=BY_LF).fill_nan(None)
    rows = []
    said, true = symbol_names(task.classes), allowed(task.n_classes)
    held, labels = own[gold >= 0], gold[gold >= 0]
    for lf, name in enumerate(names):
        for symbol in np.unique(own[:, lf]).tolist():
            if symbol == ABSTAIN:
                continue
            of_gold = labels[held[:, lf] == symbol]
            estimate = {
                "lf": name,
                "class": said[symbol],
                "n_votes": int((own[:, lf] == symbol).sum()),
                "estimate": found.precision[lf, symbol],
                "low": found.precision_low[lf, symbol],
                "high": found.precision_high[lf, symbol],
            }
            rows.append(estimate | dev_figures(int(true[symbol, of_gold].sum()), len(of_gold)))
    return LFAccuracy(by_lf, pl.DataFrame(rows, schema=BY_VOTE))


def dev_figures(n_right: int, n: int) -> dict[str, float | int | None]:
    """Count dev votes and the share that is true, with its 90 % interval; null without any."""
    low, high = dev_interval(n_right, n) if n else (None, None)
    return {
        "dev_votes": n,
        "dev_accuracy": n_right / n if n else None,
        "dev_low": low,
        "dev_high": high,
    }
