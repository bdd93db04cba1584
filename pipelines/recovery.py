"""One relabeling of a task at a time, after clearing up what a killed one left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from assets.liveness import settle_dead_runs
from epoxy_core.errors import BusyError
from epoxy_core.task import Task


def lock_of(instance: dg.DagsterInstance, task: Task) -> Path:
    """The file that is locked while a task is relabelled."""
    return Path(instance.root_directory) / f"{task.name}.lock"


@contextmanager
def exclusively(instance: dg.DagsterInstance, task: Task, patience: float = 60.0) -> Iterator[None]:
    """Hold the task's lock, with no dead run left that others would wait for.

    Parameters
    ----------
    instance
        Where the runs are recorded.
    task
        The task.
    patience
        Seconds to wait for another relabeling of the task.

    Raises
    ------
    BusyError
        If another process still holds the lock then.
    """
    lock = lock_of(instance, task)
    try:
        with FileLock(lock, timeout=patience):
            settle_dead_runs(instance)
            yield
    except Timeout as error:
        raise BusyError(
            f"another relabeling of {task.name!r} has been under way for {patience:.0f} s",
            where=str(lock),
            remedy="Wait for it, or end it: the lock goes with its process.",
        ) from error
