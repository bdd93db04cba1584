"""One relabeling of a task at a time, and clearing up after one that was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from epoxy_core.errors import EpoxyError
from epoxy_core.task import Task

IN_PROCESS = {"epoxy/process": "this one"}
"""Tag of runs that live and die with a process that holds the task's lock."""

UNFINISHED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]


@contextmanager
def exclusively(instance: dg.DagsterInstance, task: Task, patience: float = 60.0) -> Iterator[None]:
    """Hold the task's lock.

    The operating system lets go of it when a process dies, whatever it died of. So whoever holds
    it knows that every unfinished run tagged ``IN_PROCESS`` is dead: Dagster would show it as
    running, and keep its pool slots, for ever.

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
    EpoxyError
        If another process still holds the lock then.
    """
    lock = Path(instance.root_directory) / f"{task.name}.lock"
    try:
        with FileLock(lock, timeout=patience):
            _settle_dead_runs(instance, task)
            yield
    except Timeout as error:
        raise EpoxyError(
            f"another relabeling of {task.name!r} has been under way for {patience:.0f} s",
            where=str(lock),
            remedy="Wait for it, or end it: the lock goes with its process.",
        ) from error


def _settle_dead_runs(instance: dg.DagsterInstance, task: Task) -> None:
    tags = {**IN_PROCESS, "epoxy/task": task.name}
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags=tags)):
        instance.report_run_failed(run, "The process was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
