"""``epoxy watch``: a warm process that relabels on every save."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import perf_counter

import dagster as dg
from rich.console import Console
from rich.live import Live

from assets.space import Queries
from assets.store import Store
from epoxy_core.borrow_scope import sequence_column
from epoxy_core.combine import Combined
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.live_view import View, render
from epoxy_core.session import Column, Session, open_session
from epoxy_core.task import Task, load_task
from pipelines.automation import raw_file_stats
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.live_tables import LiveTables
from pipelines.record import record
from pipelines.relabel import relabel
from pipelines.stopping import stopping

SETTLE = 20
"""Milliseconds without a further change after which a save is taken to be whole."""

IDLE = 250
"""Milliseconds without a save after which what is shown is recorded."""


class Watch:
    """A task kept up to date in memory and in its tables, and recorded when there is time.

    Parameters
    ----------
    instance
        The shared Dagster instance.
    folder
        The task's folder.
    home
        Where results go.

    Raises
    ------
    EpoxyError
        If the task does not load, or cannot be brought up to date to begin with.
    """

    def __init__(self, instance: dg.DagsterInstance, folder: Path, home: Home) -> None:
        self.instance = instance
        self.folder = folder
        self.store = Store(home=str(home.root))
        self.task: Task
        self.raw_files: str
        self.session: Session
        self.view: View
        self.tables: LiveTables
        self.pending: bool
        self.recorded: dict[str, Column]
        self.published: Combined
        self._open(load_task(folder))

    def refresh(self) -> View:
        """Apply what was saved; on an error keep what was there and say why."""
        start = perf_counter()
        try:
            task = load_task(self.folder)
            if _needs_reopening(self.task, task) or raw_file_stats(task) != self.raw_files:
                self._open(task)
            lfs = load_labeling_functions(task)
        except EpoxyError as error:
            self.view = View(self.view.update, self.view.before, perf_counter() - start, str(error))
            return self.view
        before = self.view.update.table
        update = self.session.update(task, lfs)
        self.task = task
        self.pending = self.pending or bool(update.voted) or update.combined is not self.published
        committed = self.tables.commit(task, self.session, update)
        self.view = View(update, before, perf_counter() - start, committed=committed)
        return self.view

    def record(self) -> View:
        """Write the tables and the lineage of what is shown, if that was not done yet."""
        if self.pending:
            start = perf_counter()
            columns = dict(self.session.columns)
            update = self.session.estimated(self.task, self.view.update)
            refusal = record(
                self.instance,
                self.task,
                self.store,
                self.session,
                update,
                self.tables,
                self.recorded,
                refitted=update.combined is not self.published,
            )
            self.recorded, self.pending = columns, False
            self.published = update.combined
            done = f"recorded in {perf_counter() - start:.1f} s"
            said = f"stopped by a check: {refusal}" if refusal else done
            self.view = replace(self.view, update=update, recorded=said)
        return self.view

    def finish(self) -> None:
        """Bring what the session does not hold (training set, end model) up to date.

        Raises
        ------
        EpoxyError
            If what was saved last does not load, or a step fails or is stopped by a check.
        """
        self.record()
        self._relabel(load_task(self.folder))

    def _open(self, task: Task) -> None:
        """Bring the task up to date from storage, and hold that; on an error hold what was."""
        stats = raw_file_stats(task)
        self._relabel(task)
        lfs = load_labeling_functions(task)
        self.session = open_session(
            task,
            lfs,
            self.store.database(task),
            self.store.embeddings(task),
            self.store.neighbors(task),
            Queries(task),
        )
        self.task = task
        # A file that was fetched just now was not there to be looked at.
        self.raw_files = stats or raw_file_stats(task)
        self.recorded = dict(self.session.columns)
        self.pending = False
        update = self.session.update(task, lfs)
        self.published = update.combined
        self.tables = LiveTables(self.instance, self.store, task, self.session, update)
        self.view = View(update, update.table, sum(update.seconds.values()))

    def _relabel(self, task: Task) -> None:
        done = relabel(self.instance, build([task], self.store.paths), task)
        if done.failures:
            remedy = "Mend it; the next save, or the next start, takes it from there."
            raise EpoxyError("\n".join(done.failures), remedy=remedy)


def watch_task(console: Console, folder: Path, home: Home) -> None:
    """Refresh a table on the terminal at every save, until told to end.

    The first Ctrl-C, or SIGTERM, lets work in progress complete.
    """

    def announce() -> None:
        console.print("ending: the training set is brought up to date; Ctrl-C again ends at once")

    with open_instance(home) as instance:
        watch = Watch(instance, folder, home)
        with stopping(announce) as stop, ThreadPoolExecutor(1) as worker:
            # Steps that run in the main thread get Dagster's signal handlers, which raise.
            following = worker.submit(_follow, console, watch, stop)
            while not following.done():
                wait([following], timeout=0.5)  # not every platform wakes this for a signal
        following.result()


def _follow(console: Console, watch: Watch, stop: Event) -> None:
    console.print(
        f"watching {watch.folder}: edit its heuristics; Ctrl-C ends and brings the training set "
        "up to date"
    )
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        console.show_cursor(True)  # a process that is killed could not bring it back

        def show(view: View) -> None:
            screen = render(watch.task, watch.session, view)
            if console.is_terminal:
                live.update(screen, refresh=True)
            else:
                console.print(screen)

        show(watch.view)
        for changed in _saves(watch.task, stop):
            if changed:
                show(watch.refresh())
            elif watch.pending:
                show(watch.record())
    watch.finish()
    console.print("up to date")


def _saves(task: Task, stop: Event) -> Iterator[bool]:
    """True after a save, False when there was none for a moment; ends when told to.

    The first is true: there may have been a save before the watching began.
    """
    from watchfiles import DefaultFilter, watch

    first = True
    for changes in watch(
        task.folder,
        watch_filter=DefaultFilter(ignore_dirs=(*DefaultFilter.ignore_dirs, ".epoxy")),
        step=SETTLE,
        debounce=10 * SETTLE,
        rust_timeout=IDLE,
        yield_on_timeout=True,
        stop_event=stop,
    ):
        yield first or bool(changes)
        first = False


def _needs_reopening(old: Task, new: Task) -> bool:
    """Whether more changed than heuristics, thresholds and label model."""
    return any(
        getattr(old, section) != getattr(new, section)
        for section in ("name", "source", "classes", "labels", "embedding")
    ) or any(
        of(old) != of(new)
        for of in (
            lambda task: task.extension.neighbors,
            lambda task: task.extension.recall,
            lambda task: task.extension.borrow_from,
            sequence_column,
        )
    )
