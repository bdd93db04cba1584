"""The code location: every task of the tasks directory as assets, a job and checks.

``EPOXY_TASKS`` names the directory (``examples`` by default), ``EPOXY_HOME`` where results go.
"""

import os
from pathlib import Path

import dagster as dg

from assets.store import Store
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.task import Task, discover, load_task
from pipelines.graph import task_graph


def tasks_directory() -> Path:
    """The directory of tasks: ``EPOXY_TASKS``, or ``examples``."""
    return Path(os.environ.get("EPOXY_TASKS", "examples"))


def build(tasks: list[Task], home: Home) -> dg.Definitions:
    """Definitions of the given tasks.

    The executor runs every step in one process: a step is milliseconds, a process is seconds,
    and DuckDB wants one writer.
    """
    graphs = [task_graph(task) for task in tasks]
    return dg.Definitions(
        assets=[asset for graph in graphs for asset in graph.assets],
        asset_checks=[check for graph in graphs for check in graph.checks],
        jobs=[graph.job for graph in graphs],
        resources={"store": Store(home=str(home.root))},
        executor=dg.in_process_executor,
    )


def load_all(directory: Path) -> list[Task]:
    """Every task of the directory.

    Raises
    ------
    EpoxyError
        If there is none, if one does not load, or if two have one name.
    """
    tasks = [load_task(folder) for folder in discover(directory)]
    if not tasks:
        raise EpoxyError(
            "no task here",
            where=str(directory.resolve()),
            remedy="`epoxy init FOLDER` makes one; EPOXY_TASKS chooses the directory.",
        )
    names = [task.name for task in tasks]
    for task in tasks:
        if names.count(task.name) > 1:
            raise EpoxyError(
                f"two tasks are named {task.name!r}",
                where=str(task.folder / "task.yaml"),
                remedy="Rename one: the name is the prefix of its assets and results.",
            )
    return tasks


@dg.definitions
def defs() -> dg.Definitions:
    """Entry point of ``dagster dev`` and ``dg dev``."""
    return build(load_all(tasks_directory()), Home.from_environment())
