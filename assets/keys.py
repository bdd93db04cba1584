"""Names in the asset graph: keys, groups, pools and owners of a task's assets."""

from typing import Any

import dagster as dg

from epoxy_core.task import Task

CORPUS, LFS, EXTENDED, LABELS, TRAINING = (
    "corpus",
    "lf",
    "extended",
    "labels",
    "training",
)


def key(task: Task, *path: str) -> dg.AssetKey:
    """The asset's key: the task's name, then ``path``."""
    return dg.AssetKey([task.name, *path])


def lf_key(task: Task, name: str) -> dg.AssetKey:
    """Key of a labeling function's votes."""
    return key(task, "lf", name)


def extended_key(task: Task, name: str) -> dg.AssetKey:
    """Key of a labeling function's extended votes."""
    return key(task, "extended", name)


def placed(task: Task, group: str, *kinds: str) -> dict[str, Any]:
    """Group, owners and kinds: what every asset of a task says of itself."""
    return {
        "group_name": f"{task.name}__{group}",
        "owners": task.owners or None,
        "kinds": set(kinds),
    }


def step(task: Task, name: str) -> str:
    """Name of the op behind one or several assets."""
    return f"{task.name}__{name}"


def pool(task: Task) -> str:
    """Pool of the steps that write the task's DuckDB file: one at a time."""
    return f"duckdb_{task.name}"
