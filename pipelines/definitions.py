"""The code location: every task of the tasks directory as assets, jobs, checks and automation.

``EPOXY_TASKS`` names the directory (``examples`` by default), ``EPOXY_HOME`` where results go.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.task import TASK_FILE, Task, discover, load_task
from pipelines.automation import automation
from pipelines.graph import TaskGraph, definitions_of, task_graph


@dataclass(frozen=True)
class LoadedTask:
    """A task whose settings and heuristics load."""

    task: Task
    graph: TaskGraph


def tasks_directory() -> Path:
    """The directory of tasks: ``EPOXY_TASKS``, or ``examples``."""
    return Path(os.environ.get("EPOXY_TASKS", "examples"))


def build(tasks: Sequence[Task], home: Home) -> dg.Definitions:
    """Definitions of the given tasks.

    Raises
    ------
    EpoxyError
        If the labeling functions of one do not load.
    """
    return _assemble([LoadedTask(task, task_graph(task)) for task in tasks], {}, home)


def build_all(directory: Path, home: Home) -> dg.Definitions:
    """Definitions of the tasks of the directory that load, and a sign for each that does not.

    Raises
    ------
    EpoxyError
        If there is none, or none loads.
    """
    loaded, broken = load_all(directory)
    if not loaded and not broken:
        raise EpoxyError(
            "no task here",
            where=str(directory.resolve()),
            remedy="`epoxy init FOLDER` makes one; EPOXY_TASKS chooses the directory.",
        )
    if not loaded:
        raise EpoxyError("\n".join(map(str, broken.values())))
    for folder, error in broken.items():
        dg.get_dagster_logger().warning("the task in %s does not load: %s", folder, error)
    return _assemble(loaded, broken, home)


def load_all(directory: Path) -> tuple[list[LoadedTask], dict[Path, EpoxyError]]:
    """Every task of the directory.

    Returns
    -------
    tuple
        The tasks that load, and by folder why the others do not. Of tasks with one name none
        loads: the name is the prefix of their assets.

    Raises
    ------
    EpoxyError
        If there is no such directory.
    """
    tasks: list[Task] = []
    loaded: list[LoadedTask] = []
    broken: dict[Path, EpoxyError] = {}
    for folder in discover(directory):
        try:
            tasks.append(load_task(folder))
        except EpoxyError as error:
            broken[folder] = error
    names = [task.name for task in tasks]
    for task in tasks:
        try:
            if names.count(task.name) > 1:
                raise EpoxyError(
                    f"two tasks are named {task.name!r}",
                    where=str(task.folder / TASK_FILE),
                    remedy="Rename one: the name is the prefix of its assets and results.",
                )
            loaded.append(LoadedTask(task, task_graph(task)))
        except EpoxyError as error:
            broken[task.folder] = error
    return loaded, broken


def _assemble(
    loaded: Sequence[LoadedTask], broken: Mapping[Path, EpoxyError], home: Home
) -> dg.Definitions:
    parts = [automation(each.task, home) for each in loaded]
    return definitions_of(
        [each.graph for each in loaded],
        home,
        assets=[_sign(folder, error) for folder, error in broken.items()],
        jobs=[part.job for part in parts],
        sensors=[sensor for part in parts for sensor in part.sensors],
        schedules=[schedule for part in parts for schedule in part.schedules],
    )


def _sign(folder: Path, error: EpoxyError) -> dg.AssetSpec:
    """An asset that shows in the UI, where its assets would be, why a task does not load."""
    return dg.AssetSpec(
        [folder.name, "does_not_load"],
        group_name="broken",
        description=f"```\n{error}\n```",
        metadata={"folder": dg.MetadataValue.path(str(folder))},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Entry point of ``dagster dev`` and ``dg dev``."""
    return build_all(tasks_directory(), Home.from_environment())
