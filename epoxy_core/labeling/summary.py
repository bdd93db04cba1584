"""What the votes look like: per labeling function, and of the whole matrix."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError

Votes = npt.NDArray[np.int8]

_ROWS = 1 << 16


def lf_summary(
    votes: Votes, names: Sequence[str], classes: Sequence[str], gold: Votes | None = None
) -> pl.DataFrame:
    """Coverage, overlaps and conflicts of each labeling function, as in Snorkel's LFAnalysis.

    Parameters
    ----------
    votes
        int8 [n, m], −1 = abstain.
    names
        Names of the m labeling functions.
    classes
        The K class names.
    gold
        int8 [n], −1 = unknown: hand labels of the dev split.

    Returns
    -------
    polars.DataFrame
        One row per labeling function: ``lf``, ``polarity`` (names of the classes it voted),
        ``n_votes``, ``coverage`` (share of the items it votes on), ``overlaps`` (… where another
        votes, too), ``conflicts`` (… where another votes otherwise), ``dev_votes`` (votes on
        items with a gold label), ``dev_correct``, ``dev_accuracy`` (null without dev votes).

    Raises
    ------
    EpoxyError
        If the shapes do not fit, or a vote or gold label is no class.
    """
    n, m = _checked(votes, len(classes), gold)
    if len(names) != m:
        raise EpoxyError(
            f"{len(names)} names for {m} columns of votes",
            where="lf_summary",
            remedy="Give one name per labeling function.",
        )
    per_class = np.zeros((m, len(classes)), np.int64)
    overlaps, conflicts, dev_votes, dev_correct = np.zeros((4, m), np.int64)
    for start in range(0, n, _ROWS):
        part = votes[start : start + _ROWS]
        voted = part != -1
        counts = _class_counts(part, len(classes))
        total = counts.sum(axis=1, keepdims=True)
        agreeing = np.take_along_axis(counts, np.maximum(part, 0).astype(np.intp), axis=1)
        per_class += np.stack([(part == k).sum(axis=0) for k in range(len(classes))], axis=1)
        overlaps += (voted & (total > 1)).sum(axis=0)
        conflicts += (voted & (agreeing < total)).sum(axis=0)
        if gold is not None:
            labels = gold[start : start + _ROWS, None]
            dev_votes += (voted & (labels != -1)).sum(axis=0)
            dev_correct += (voted & (part == labels)).sum(axis=0)
    items = max(n, 1)
    n_votes = per_class.sum(axis=1)
    return pl.DataFrame(
        {
            "lf": list(names),
            "polarity": [[classes[k] for k in np.flatnonzero(row).tolist()] for row in per_class],
            "n_votes": n_votes,
            "coverage": n_votes / items,
            "overlaps": overlaps / items,
            "conflicts": conflicts / items,
            "dev_votes": dev_votes,
            "dev_correct": dev_correct,
            "dev_accuracy": [
                right / all_ if all_ else None
                for right, all_ in zip(dev_correct.tolist(), dev_votes.tolist(), strict=True)
            ],
        },
        schema={
            "lf": pl.String,
            "polarity": pl.List(pl.String),
            "n_votes": pl.Int64,
            "coverage": pl.Float64,
            "overlaps": pl.Float64,
            "conflicts": pl.Float64,
            "dev_votes": pl.Int64,
            "dev_correct": pl.Int64,
            "dev_accuracy": pl.Float64,
        },
    )


def _class_counts(votes: Votes, n_classes: int) -> npt.NDArray[np.int32]:
    """Votes per item and class, int32 [n, K]."""
    counts = [(votes == k).sum(axis=1, dtype=np.int32) for k in range(n_classes)]
    return np.stack(counts, axis=1)


def _checked(votes: Votes, n_classes: int, gold: Votes | None) -> tuple[int, int]:
    if votes.ndim != 2 or (gold is not None and gold.shape != votes.shape[:1]):
        shapes = f"votes {votes.shape}" + ("" if gold is None else f", gold {gold.shape}")
        raise EpoxyError(
            f"the shapes do not fit: {shapes}",
            where="votes",
            remedy="Votes are [items, labeling functions], gold labels [items].",
        )
    for name, array in (("votes", votes), ("gold", gold)):
        if array is not None and array.size and not -1 <= array.min() <= array.max() < n_classes:
            raise EpoxyError(
                f"values from {array.min()} to {array.max()} for {n_classes} classes",
                where=name,
                remedy="Classes are 0 to K−1, abstain and unknown are −1.",
            )
    return votes.shape[0], votes.shape[1]
