"""What a task's tables hold of a warm session, and committing to them what an edit made."""

from collections.abc import Mapping
from time import perf_counter

import dagster as dg
import numpy as np
from filelock import FileLock, Timeout

from assets.encoder import encoder_of
from assets.store import Store
from epoxy_core.combine import Combined
from epoxy_core.errors import BusyError
from epoxy_core.session import Column, Session, Update
from epoxy_core.storage.commit import Held, commit, labels_held
from epoxy_core.storage.database import Database, OutOfStepError
from epoxy_core.storage.history import rows_of
from epoxy_core.storage.publish import Publication, RunFacts, last_run
from epoxy_core.storage.published import STORED, read_published
from epoxy_core.task import Task
from pipelines.recovery import lock_of
from pipelines.unrecorded import note_unrecorded

PATIENCE = 0.5
"""Seconds that a commit waits for whoever reads the tables; what it misses is recorded later."""

BY_WATCH = "epoxy watch"
"""What stands for the Dagster run of a label run that none made."""


class LiveTables:
    """A task's tables, kept up to date with a session at every edit.

    Parameters
    ----------
    instance, store
        Where it is recorded, and where its tables are.
    task, session, update
        The task, a session that holds what the tables hold, and its update to that.

    Attributes
    ----------
    stored
        The votes that the tables hold.
    published
        What the last label run was made of, and its labels.
    publication
        The last label run committed here; None: none yet.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        store: Store,
        task: Task,
        session: Session,
        update: Update,
    ) -> None:
        self.store = store
        self.lock = lock_of(instance, task)
        self.item_ids = session.items["item_id"]
        self.stored: dict[str, Column] = dict(session.columns)
        self.publication: Publication | None = None
        with store.database(task).read() as connection:
            last = last_run(connection)
            assert last is not None
            self.last, self.versions = last.run_id, dict(last.data_versions)
            labels = read_published(rows_of(connection, STORED), self.item_ids, task.classes)
        self.published = Held(dict(self.stored), update.combined, labels, _hard(task))

    def commit(self, task: Task, session: Session, update: Update) -> float | None:
        """Write what an edit changed, and the labels if they were made anew.

        Returns
        -------
        float or None
            Seconds; None if nothing is other, or it has to wait until the edit is recorded:
            somebody else has the tables open or wrote them, or a class has no label.
        """
        start = perf_counter()
        columns = dict(session.columns)
        other = [name for name, column in columns.items() if not self.hold(name, column)]
        gone = [name for name in self.stored if name not in columns]
        made_anew = update.combined is not self.published.combined
        if not other and not gone and not made_anew:
            return None
        labels = self.published.labels
        if made_anew:
            if not _every_class(task, update):
                return None
            labels = labels_held(task, columns, update.combined, update.labels)
        after = Held(columns, update.combined, labels, _hard(task))
        versions = {
            **dict.fromkeys(f"lf/{lf}" for lf in columns),
            **{name: version for name, version in self.versions.items() if name[3:] not in gone},
            **{f"lf/{name}": None for name in other},
        }
        facts = RunFacts(
            BY_WATCH,
            {name: column.lf.code_version for name, column in columns.items()},
            encoder_of(task).fingerprint,
            versions,
        )
        database = Database(self.store.paths.database(task.name), patience=PATIENCE)
        try:
            with FileLock(self.lock, timeout=0):
                note_unrecorded(self.store.paths, task, [*other, *gone])
                made = commit(
                    database,
                    task,
                    facts,
                    self.item_ids,
                    self.stored,
                    self.published,
                    after,
                    session.floor,
                    self.last,
                )
        except (Timeout, BusyError):
            return None
        except OutOfStepError:
            self.stored, self.last = {}, ""  # until everything is written again
            return None
        self.stored = dict(columns)
        if made:
            self.adopt(task, made, columns, update.combined, versions)
        return perf_counter() - start

    def hold(self, name: str, column: Column) -> bool:
        """Whether these votes are in the tables."""
        stored = self.stored.get(name)
        if stored is None:
            return False
        return stored.result is column.result and stored.lent is column.lent

    def adopt(
        self,
        task: Task,
        made: Publication,
        columns: Mapping[str, Column],
        combined: Combined,
        versions: dict[str, str | None],
    ) -> None:
        """Go on from this label run.

        Parameters
        ----------
        task
            Whose settings it was made with.
        made
            The label run.
        columns, combined
            What it was made of.
        versions
            The data versions of that, as far as they are known.
        """
        self.publication, self.versions = made, versions
        self.last = made.run["run_id"]
        self.published = Held(columns, combined, made.labels, _hard(task))


def _hard(task: Task) -> bool:
    return task.extension.weighting == "hard"


def _every_class(task: Task, update: Update) -> bool:
    counts = np.bincount(update.labels[update.labels >= 0], minlength=task.n_classes)
    return bool(counts.all())
