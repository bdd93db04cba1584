"""What the votes look like: per labeling function, and of the whole matrix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.symbols import allowed, has_negative, symbol_names

Votes = npt.NDArray[np.int8]

SCHEMA: dict[str, Any] = {
    "lf": pl.String,
    "polarity": pl.List(pl.String),
    "n_votes": pl.Int64,
    "coverage": pl.Float64,
    "overlaps": pl.Float64,
    "conflicts": pl.Float64,
    "dev_votes": pl.Int64,
    "dev_correct": pl.Int64,
    "dev_accuracy": pl.Float64,
}

_ROWS = 1 << 16


def lf_summary(
    votes: Votes, names: Sequence[str], classes: Sequence[str], gold: Votes | None = None
) -> pl.DataFrame:
    """Coverage, overlaps and conflicts of each labeling function, as in Snorkel's LFAnalysis.

    Parameters
    ----------
    votes
        int8 [n, m]: a class, K + a class for a vote against it, −1 = abstain.
    names
        Names of the m labeling functions.
    classes
        The K class names.
    gold
        int8 [n], −1 = unknown: hand labels of the dev split.

    Returns
    -------
    polars.DataFrame
        One row per labeling function: ``lf``, ``polarity`` (what it voted: names of classes,
        ``not`` a class), ``n_votes``, ``coverage`` (share of the items it votes on), ``overlaps``
        (… where another votes, too), ``conflicts`` (… where no class satisfies its vote and
        another's), ``dev_votes`` (votes on items with a gold label), ``dev_correct`` (those that
        are true of it), ``dev_accuracy`` (null without dev votes).

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
    known = np.flatnonzero(gold != -1) if gold is not None else np.zeros(0, np.intp)
    labels = gold[known] if gold is not None else np.zeros(0, np.int8)
    found = summarise(votes, np.ones(n, np.int64), names, classes, votes[known], labels)
    return pl.DataFrame(found, schema=SCHEMA)


def summarise(
    patterns: Votes,
    counts: npt.NDArray[np.int64],
    names: Sequence[str],
    classes: Sequence[str],
    held: Votes,
    gold: Votes,
) -> dict[str, Any]:
    """Columns of `lf_summary`, from distinct rows of votes; nothing is checked.

    Parameters
    ----------
    patterns, counts
        int8 [p, m] rows of votes, and int64 [p] how often each occurs.
    names, classes
        As in ``lf_summary``.
    held, gold
        int8 [g, m] and int8 [g], votes and labels of items with hand labels.
    """
    k, m = len(classes), len(names)
    n_symbols = 2 * k if has_negative(patterns, k) else k
    truth = allowed(k)[:n_symbols]
    together = ((truth.astype(np.int32) @ truth.T.astype(np.int32)) > 0).astype(np.int32)
    per_symbol = np.zeros((m, n_symbols), np.int64)
    overlaps, conflicts = np.zeros((2, m), np.int64)
    for start in range(0, len(patterns), _ROWS):
        part, times = patterns[start : start + _ROWS], counts[start : start + _ROWS]
        cast = [part == v for v in range(n_symbols)]
        by_symbol = np.stack([at.sum(axis=1, dtype=np.int32) for at in cast], axis=1)
        total = by_symbol.sum(axis=1, keepdims=True)
        agreeing = by_symbol if n_symbols == k else by_symbol @ together
        mine = np.take_along_axis(agreeing, np.maximum(part, 0).astype(np.intp), axis=1)
        voted = part != -1
        per_symbol += np.stack([times @ at for at in cast], axis=1)
        overlaps += times @ (voted & (total > 1))
        conflicts += times @ (voted & (mine < total))
    dev = held != -1
    dev_votes = dev.sum(axis=0)
    dev_correct = (dev & allowed(k)[np.maximum(held, 0), gold[:, None]]).sum(axis=0)
    items = max(int(counts.sum()), 1)
    n_votes = per_symbol.sum(axis=1)
    names_of = symbol_names(classes)
    return {
        "lf": list(names),
        "polarity": [[names_of[v] for v in np.flatnonzero(row).tolist()] for row in per_symbol],
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
    }


def _checked(votes: Votes, n_classes: int, gold: Votes | None) -> tuple[int, int]:
    if votes.ndim != 2 or (gold is not None and gold.shape != votes.shape[:1]):
        shapes = f"votes {votes.shape}" + ("" if gold is None else f", gold {gold.shape}")
        raise EpoxyError(
            f"the shapes do not fit: {shapes}",
            where="votes",
            remedy="Votes are [items, labeling functions], gold labels [items].",
        )
    for name, array, end in (("votes", votes, 2 * n_classes), ("gold", gold, n_classes)):
        if array is not None and array.size and not -1 <= array.min() <= array.max() < end:
            raise EpoxyError(
                f"values from {array.min()} to {array.max()} for {n_classes} classes",
                where=name,
                remedy="Classes are 0 to K−1, votes against one K to 2K−1, abstain and unknown "
                "are −1.",
            )
    return votes.shape[0], votes.shape[1]
