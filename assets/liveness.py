"""Which runs' processes are alive: a process holds a lock file from its first run to its end.

The operating system lets go of a lock when its holder dies, whatever it died of. Otherwise
Dagster shows a killed run as running for ever, and keeps its pool slots and its place in the queue
from others: its default launcher notices the end of a process only while its own server lives.
"""

import os
from pathlib import Path
from uuid import uuid4

import dagster as dg
from filelock import FileLock, Timeout

PROCESS = "epoxy/process"
"""Run tag: the lock file of the process that holds the run."""

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_held: dict[tuple[int, Path], FileLock] = {}


def process_tag(instance: dg.DagsterInstance) -> dict[str, str]:
    """Tag of the runs of this process, whose lock is held from now on."""
    folder = _folder(instance)
    mine = (os.getpid(), folder)
    if mine not in _held:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / uuid4().hex)
        lock.acquire()
        _held[mine] = lock
    return {PROCESS: Path(_held[mine].lock_file).name}


def claim_run(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Say that the run lives and dies with this process."""
    mine = process_tag(instance)
    if run.tags.get(PROCESS) != mine[PROCESS]:
        instance.add_run_tags(run.run_id, mine)


def settle_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark unfinished runs of dead processes as failed and free their pool slots.

    Returns
    -------
    list of str
        Ids of those runs.
    """
    settled = []
    for file in sorted(_folder(instance).glob("*")):
        try:
            with FileLock(file, timeout=0):
                for run in instance.get_runs(
                    dg.RunsFilter(statuses=UNFINISHED, tags={PROCESS: file.name})
                ):
                    if _only_inherited(instance, run):
                        continue
                    instance.report_run_failed(run, "The process was killed.")
                    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
                    settled.append(run.run_id)
                file.unlink(missing_ok=True)
        except Timeout:
            continue  # alive
    return settled


def _only_inherited(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run is a retry that has yet to start: it has the tags of the run it repeats."""
    repeated = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return repeated is not None and repeated.tags.get(PROCESS) == run.tags[PROCESS]


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / "processes"
