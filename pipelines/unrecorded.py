"""Which results are in a task's tables and not in Dagster's records yet.

A warm session commits to the tables at once and records when there is time. Killed in between, it
leaves tables that are ahead of the records; the file written here before each commit says so, and
whoever relabels next makes these results again, whatever became of the edit.
"""

import json
import os
from collections.abc import Iterable

import dagster as dg

from assets.keys import extended_key, key, lf_key
from epoxy_core.home import Home
from epoxy_core.task import Task

MADE_OF_THEM = ("label_model", "lf_summary", "labels", "label_changes")


def note_unrecorded(home: Home, task: Task, lfs: Iterable[str]) -> None:
    """Add the votes of these labeling functions, and what is made of votes."""
    file = home.unrecorded(task.name)
    known = set(json.loads(file.read_text())) if file.exists() else None
    names = {*(known or ()), *lfs}
    if names == known:
        return
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(sorted(names)))
    os.replace(partial, file)


def unrecorded(home: Home, task: Task) -> set[dg.AssetKey]:
    """The assets concerned; none where tables and records agree."""
    file = home.unrecorded(task.name)
    if not file.exists():
        return set()
    names = json.loads(file.read_text())
    votes = {made(task, name) for name in names for made in (lf_key, extended_key)}
    return votes | {key(task, name) for name in MADE_OF_THEM}


def all_recorded(home: Home, task: Task) -> None:
    """Tables and records agree again."""
    home.unrecorded(task.name).unlink(missing_ok=True)
