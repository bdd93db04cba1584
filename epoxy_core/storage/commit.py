"""Commit what a warm session made to the tables: the rows that changed, in one short transaction.

From arrays in memory: nothing is read of the tables but which label run is the last. Predictions of
every stage and the accuracies, which an edit does not wait for, are left as they are.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.combine import Combined
from epoxy_core.extension import ExtendedVotes
from epoxy_core.label_changes import Evidence, Standing, causes_in_memory, no_causes
from epoxy_core.labeling import ABSTAIN, LFResult
from epoxy_core.lend import Lent
from epoxy_core.storage.database import Database, OutOfStepError, add, drop, put
from epoxy_core.storage.learned import put_learned
from epoxy_core.storage.publish import (
    Publication,
    RunFacts,
    compared,
    last_run,
    name_run,
    opposed,
    put_labels,
    put_run,
    run_row,
)
from epoxy_core.storage.published import (
    LabelDifference,
    PublishedLabels,
    Rows,
    change_rows,
    difference,
    published_labels,
    relabelled,
    vote_kinds,
)
from epoxy_core.storage.votes import error_rows, extended_rows, reach_row, vote_rows
from epoxy_core.task import Task

if TYPE_CHECKING:
    import duckdb

Strength = npt.NDArray[np.float32] | None


class HeldVotes(Protocol):
    """One labeling function's votes in memory."""

    @property
    def result(self) -> LFResult:
        """Its own votes, and its errors."""

    @property
    def lent(self) -> Lent:
        """Its own and borrowed votes, and how far they were lent."""


@dataclass(frozen=True, eq=False)
class Held:
    """What is held in memory of a task at one moment.

    Attributes
    ----------
    columns
        The votes of every labeling function, by name.
    combined
        What was made of them.
    labels
        The same as it is published.
    hard
        Whether a borrowed vote counts like an own one.
    """

    columns: Mapping[str, HeldVotes]
    combined: Combined
    labels: PublishedLabels
    hard: bool

    @property
    def standing(self) -> Standing:
        """What labels are made of, to find the causes of a change."""
        made = self.combined
        return Standing(
            list(self.columns),
            Evidence(
                made.evidence,
                made.silence,
                made.thresholds,
                [made.grid] * len(self.columns),
                list(made.curves),
                self.hard,
            ),
            [column.lent.extended for column in self.columns.values()],
        )


def labels_held(
    task: Task,
    columns: Mapping[str, HeldVotes],
    combined: Combined,
    labels: npt.NDArray[np.int8],
) -> PublishedLabels:
    """What the label model's opinion is as published labels: what `publish` makes of the tables.

    Parameters
    ----------
    task
        Names the classes.
    columns
        The votes of all labeling functions.
    combined
        What was made of them.
    labels
        int8 [n], ``combined.labels``.
    """
    own = np.zeros(len(labels), np.bool_)
    for column in columns.values():
        own |= column.result.votes != ABSTAIN
    borrowed = None
    if combined.in_sequence.any():
        borrowed = (combined.counted != ABSTAIN).any(axis=1)
    return published_labels(task.classes, labels, combined.extended, vote_kinds(own, borrowed))


def commit(
    database: Database,
    task: Task,
    facts: RunFacts,
    item_ids: pl.Series,
    stored: Mapping[str, HeldVotes],
    before: Held,
    after: Held,
    floor: float,
    last: str,
) -> Publication | None:
    """Write changed votes and, if the labels were made anew, a label run.

    Parameters
    ----------
    database
        The task's tables.
    task
        The task now.
    facts
        What else the label run depends on.
    item_ids
        String [n], ascending.
    stored
        The votes that the tables hold.
    before, after
        What the last label run was made of, and what the tables are to hold.
    floor
        Similarity of unrelated items.
    last
        The last label run.

    Returns
    -------
    Publication or None
        The label run; None if the labels are those of before.

    Raises
    ------
    OutOfStepError
        If the tables are not as ``stored``, ``before`` and ``last`` say; then nothing is written
        but, perhaps, the history of a label run that never was, which nobody reads.
    """
    with database.write_quickly() as (connection, other), ThreadPoolExecutor(1) as beside:
        previous = last_run(connection)
        if previous is None or previous.run_id != last:
            raise OutOfStepError(last)
        run_name, anew = name_run(previous), after.combined is not before.combined
        if anew:
            differing = beside.submit(difference, item_ids, before.labels, after.labels)
            changed = beside.submit(_changes, item_ids, before, after)
            history = beside.submit(_put_history, other, run_name.run_id, differing, changed)
        for name, column in after.columns.items():
            _put_votes(connection, item_ids, name, stored.get(name), column, floor)
        _forget(connection, [name for name in stored if name not in after.columns])
        if not anew:
            return None
        names = list(after.columns)
        put_learned(connection, names, after.combined, None)
        put_labels(connection, run_name.run_id, differing.result())
        changes = changed.result()
        thresholds = dict(zip(names, after.combined.thresholds.tolist(), strict=True))
        run = run_row(task, facts, run_name, thresholds, len(item_ids), after.labels, changes)
        run |= compared(connection, task, previous, item_ids, before.labels, after.labels)
        put_run(connection, run)
        history.result()
    return Publication(run, item_ids, after.labels, changes)


def _put_history(
    connection: "duckdb.DuckDBPyConnection",
    run_id: str,
    differing: "Future[LabelDifference]",
    changed: "Future[pl.DataFrame]",
) -> None:
    """Commit what belongs to a label run, and is read with it only."""
    add(connection, "label_history", differing.result().rows, run_id=run_id)
    add(connection, "label_changes", changed.result(), run_id=run_id)
    connection.commit()


def _changes(item_ids: pl.Series, before: Held, after: Held) -> pl.DataFrame:
    """What changed and why."""
    at = relabelled(before.labels, after.labels)
    causes = no_causes(0)
    if len(at):
        sides = opposed(before.labels, after.labels, at)
        causes = causes_in_memory(before.standing, after.standing, at, *sides)
    return change_rows(item_ids, before.labels, after.labels, at).with_columns(causes)


def _put_votes(
    connection: "duckdb.DuckDBPyConnection",
    item_ids: pl.Series,
    lf: str,
    old: HeldVotes | None,
    new: HeldVotes,
    floor: float,
) -> None:
    """Write what is other in one labeling function's votes, own and borrowed."""
    if old is None or old.result is not new.result:
        was, now = old.result if old else None, new.result
        at = _other(was, now)
        gone = at[was.votes[at] != ABSTAIN] if was else at[:0]
        drop(connection, "lf_votes", item_ids.gather(gone), "lf = ?", lf)
        add(connection, "lf_votes", vote_rows(item_ids, lf, now.votes, now.strength, at))
        if now.n_errors or not was or was.n_errors:
            put(connection, "lf_errors", error_rows(lf, now), "lf = ?", lf)
    if old is None or old.lent is not new.lent:
        had, has = old.lent.extended if old else None, new.lent.extended
        at = _other(had, has)
        gone = at[had.votes[at] != ABSTAIN] if had else at[:0]
        drop(connection, "extended_votes", item_ids.gather(gone), "lf = ?", lf)
        columns = has.votes, has.source, has.similarity, has.strength
        add(connection, "extended_votes", extended_rows(item_ids, lf, *columns, at))
        put(connection, "extension", reach_row(lf, new.lent, floor), "lf = ?", lf)


def _other(old: LFResult | ExtendedVotes | None, new: LFResult | ExtendedVotes) -> Rows:
    """Items whose vote, or where it is borrowed from, is another."""
    if old is None:
        return np.flatnonzero(new.votes != ABSTAIN)
    other = old.votes != new.votes
    if isinstance(old, ExtendedVotes) and isinstance(new, ExtendedVotes):
        other |= old.source != new.source
        other |= (old.similarity != new.similarity) & (new.votes != ABSTAIN)
    if old.strength is not None or new.strength is not None:
        other |= _claims(old.strength) != _claims(new.strength)
    return np.flatnonzero(other)


def _claims(strength: Strength) -> npt.NDArray[np.float32] | np.float32:
    return np.float32(1) if strength is None else strength


def _forget(connection: "duckdb.DuckDBPyConnection", gone: Sequence[str]) -> None:
    """Remove what is stored of labeling functions that are no more."""
    if gone:
        for table in ("lf_votes", "lf_errors", "extended_votes", "extension"):
            connection.execute(f"DELETE FROM {table} WHERE list_contains(?, lf)", [list(gone)])
