"""Labels as they are published, in memory: classes, probabilities on a grid, where votes are from.

Probabilities are published to two decimals. Fitting again moves all of them by a little; on the
grid most stay where they were, and only rows that are others than before are written. Figures are
in `docs/iterating.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling import ABSTAIN
from epoxy_core.threads import by_rows

GRID = 100
"""Steps of the published probabilities between 0 and 1."""

OWN, BORROWED, SEQUENCE = range(3)
KINDS = ("own", "borrowed", "sequence")

STORED = "SELECT item_id, label, probabilities, votes FROM labels"

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class PublishedLabels:
    """What is published of n items.

    Attributes
    ----------
    classes
        The K class names.
    label
        int8 [n], −1 = none.
    steps
        uint8 [n, K], probabilities in steps of 1 / `GRID`; zeros where there is no label.
    votes
        uint8 [n], position in `KINDS`; 0 where there is no label.
    """

    classes: tuple[str, ...]
    label: npt.NDArray[np.int8]
    steps: npt.NDArray[np.uint8]
    votes: npt.NDArray[np.uint8]

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Bool [n]: items with a label."""
        return np.asarray(self.label != ABSTAIN)

    def confidence(self, at: Rows) -> npt.NDArray[np.float32]:
        """Probability of the label, float32 [r]; NaN where there is none."""
        label = self.label[at]
        steps = self.steps[at, label].astype(np.float32) / np.float32(GRID)
        return np.where(label == ABSTAIN, np.float32(np.nan), steps)

    def rows(self, item_ids: pl.Series, at: Rows) -> pl.DataFrame:
        """Rows of the table ``labels`` but for ``run_id``; nulls for an item without a label.

        Parameters
        ----------
        item_ids
            String [n].
        at
            int [r], which items.
        """
        label = self.label[at]
        known = pl.Series("known", label != ABSTAIN)
        probabilities = self.steps[at].astype(np.float32) / np.float32(GRID)
        columns = pl.DataFrame(
            {
                "item_id": item_ids.gather(at),
                "label": names_of(self.classes, label),
                "confidence": pl.Series(self.confidence(at)).fill_nan(None),
                "probabilities": pl.Series(
                    probabilities, dtype=pl.Array(pl.Float32, len(self.classes))
                ).cast(pl.List(pl.Float32)),
                "votes": names_of(KINDS, self.votes[at].astype(np.int8)),
            }
        )
        if known.all():
            return columns
        later = ("probabilities", "votes")
        return columns.with_columns(pl.when(known).then(pl.col(name)).alias(name) for name in later)


class LabelDifference(NamedTuple):
    """Labels that are new, gone or other.

    Attributes
    ----------
    gone
        Items whose row in ``labels`` is no longer right.
    rows
        All of these items as they are now (`PublishedLabels.rows`).
    """

    gone: pl.Series
    rows: pl.DataFrame


def published_labels(
    classes: Sequence[str],
    label: npt.NDArray[np.int8],
    probabilities: npt.NDArray[np.floating],
    votes: npt.NDArray[np.uint8],
) -> PublishedLabels:
    """Put labels on the grid.

    Parameters
    ----------
    classes
        The K class names.
    label
        int8 [n], −1 = none.
    probabilities
        Floating [n, K].
    votes
        uint8 [n], position in `KINDS`.
    """
    known = label != ABSTAIN
    steps = np.empty(probabilities.shape, np.uint8)

    def put_on_grid(first: int, last: int) -> None:
        # What is stored of a posterior is float32: from there and from memory the same is made.
        part = probabilities[first:last].astype(np.float32)
        part *= np.float32(GRID)
        np.rint(part, out=part)
        part *= known[first:last, None]
        steps[first:last] = part

    by_rows(len(label), put_on_grid)
    return PublishedLabels(tuple(classes), label, steps, np.where(known, votes, np.uint8(OWN)))


def vote_kinds(
    own: npt.NDArray[np.bool_], borrowed: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint8]:
    """Where an item's votes are from, as positions in `KINDS`, uint8 [n].

    Parameters
    ----------
    own
        bool [n], whether a labeling function voted.
    borrowed
        bool [n], whether a borrowed vote counts; None where every label has a vote.
    """
    if borrowed is None:
        return np.where(own, np.uint8(OWN), np.uint8(BORROWED))
    other = np.where(borrowed, np.uint8(BORROWED), np.uint8(SEQUENCE))
    return np.where(own, np.uint8(OWN), other)


def unlike(before: PublishedLabels, after: PublishedLabels) -> Rows:
    """Items whose label, probabilities or kind of votes are others, ascending."""
    if before.classes != after.classes:
        return np.flatnonzero(before.labelled | after.labelled)
    other = before.label != after.label
    other |= before.votes != after.votes
    for old, new in zip(before.steps.T, after.steps.T, strict=True):
        other |= old != new
    return np.flatnonzero(other)


def relabelled(before: PublishedLabels, after: PublishedLabels) -> Rows:
    """Items whose label is new, gone or another, ascending."""
    return np.flatnonzero(_in_terms_of(after, before) != after.label)


def difference(
    item_ids: pl.Series, before: PublishedLabels, after: PublishedLabels
) -> LabelDifference:
    """What to write so that the table holds the labels after, where it holds those before."""
    at = unlike(before, after)
    gone = item_ids.gather(at[before.labelled[at]])
    return LabelDifference(gone, after.rows(item_ids, at))


def share_unlike(before: PublishedLabels, after: PublishedLabels) -> float:
    """Of the items labelled in both, the share whose label is another."""
    both = before.labelled & after.labelled
    n = int(both.sum())
    other = both & (_in_terms_of(after, before) != after.label)
    return float(np.count_nonzero(other) / n) if n else 0.0


def change_rows(
    item_ids: pl.Series, before: PublishedLabels, after: PublishedLabels, at: Rows
) -> pl.DataFrame:
    """Labels before and after, as in the table ``label_changes``.

    Parameters
    ----------
    item_ids
        String [n].
    before, after
        Labels of the n items.
    at
        int [r], which items.
    """
    return pl.DataFrame(
        {
            "item_id": item_ids.gather(at),
            "label_before": names_of(before.classes, before.label[at]),
            "label_after": names_of(after.classes, after.label[at]),
            "confidence_before": pl.Series(before.confidence(at)).fill_nan(None),
            "confidence_after": pl.Series(after.confidence(at)).fill_nan(None),
        }
    )


def _in_terms_of(other: PublishedLabels, labels: PublishedLabels) -> npt.NDArray[np.int16]:
    """Labels by the classes of others; a class that they do not have is beyond theirs."""
    known = {name: position for position, name in enumerate(other.classes)}
    meant = [known.get(name, len(known)) for name in labels.classes]
    return np.array([*meant, ABSTAIN], np.int16)[labels.label]


def nothing_published(classes: Sequence[str], n: int) -> PublishedLabels:
    """No item has a label."""
    return PublishedLabels(
        tuple(classes),
        np.full(n, ABSTAIN, np.int8),
        np.zeros((n, len(classes)), np.uint8),
        np.zeros(n, np.uint8),
    )


def read_published(
    rows: pl.DataFrame, item_ids: pl.Series, classes: Sequence[str]
) -> PublishedLabels:
    """The table ``labels`` in memory, one entry for each of these items.

    Parameters
    ----------
    rows
        What `STORED` selects.
    item_ids
        String [n], all items that may have a label.
    classes
        The class names that the labels were published with.
    """
    found = nothing_published(classes, len(item_ids))
    at = rows_among(rows["item_id"], item_ids)
    found.label[at] = positions_of(rows["label"], classes)
    probabilities = matrix_of(rows["probabilities"], len(classes))
    found.steps[at] = np.rint(probabilities * np.float32(GRID))
    found.votes[at] = positions_of(rows["votes"], KINDS)
    return found


def rows_among(wanted: pl.Series, item_ids: pl.Series) -> Rows:
    """Where each id is among all, int [r]; all of them are."""
    places = item_ids.alias("item_id").to_frame().with_row_index("row")
    found = (
        wanted.alias("item_id")
        .to_frame()
        .join(places, on="item_id", how="left", maintain_order="left")
    )
    return found["row"].to_numpy().astype(np.intp)


def matrix_of(lists: pl.Series, width: int) -> npt.NDArray[np.float32]:
    """Lists of one length as float32 [n, width]."""
    flat = lists.explode(empty_as_null=False).cast(pl.Float32).to_numpy()
    return flat.reshape(-1, width)


def names_of(names: Sequence[str], positions: npt.NDArray[np.int8]) -> pl.Series:
    """Names at these positions; null at −1."""
    known = pl.Series([*names, None], dtype=pl.String)
    return known.gather(np.where(positions < 0, len(names), positions).astype(np.uint32))


def positions_of(names: pl.Series, among: Sequence[str]) -> npt.NDArray[np.int8]:
    """Positions of names among all, int8; −1 for a null."""
    codes = names.cast(pl.Enum(list(among))).to_physical()
    return codes.cast(pl.Int16).fill_null(ABSTAIN).cast(pl.Int8).to_numpy()
