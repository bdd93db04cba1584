"""Reload the code location when a task changes: Dagster ships no file watcher.

Runs beside ``dagster dev``, as a child of its process, and ends with it.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from watchfiles import DefaultFilter, watch

from epoxy_core.corpus import source_files
from epoxy_core.errors import EpoxyError
from epoxy_core.task import TASK_FILE, load_task

RELOAD = """
mutation Reload($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) {
    __typename
    ... on WorkspaceLocationEntry {
      locationOrLoadError { __typename ... on PythonError { message } }
    }
    ... on PythonError { message }
  }
}
"""

QUIET_MS = 100
"""A burst of changes has ended when nothing changed for so long."""

LONGEST_BURST_MS = 1000


def watch_and_reload(directory: Path, url: str, location: str, parent: int) -> None:
    """Reload on every change, until the parent process is another than ``parent``.

    Parameters
    ----------
    directory
        The tasks' directory.
    url
        The webserver's GraphQL address; a reload that does not reach it is tried until it does.
    location
        Name of the code location.
    parent
        Process id of ``dagster dev``.
    """
    pending = False
    for changes in watch(
        directory,
        watch_filter=DefaultFilter(),
        debounce=LONGEST_BURST_MS,
        step=QUIET_MS,
        rust_timeout=1000,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        if os.getppid() != parent:
            return
        pending = pending or any(defines(Path(path), directory) for _, path in changes)
        if not pending:
            continue
        try:
            sys.stderr.write(f"epoxy: {reload_location(url, location)}\n")
            pending = False
        except OSError:
            continue  # not up yet


def reload_location(url: str, location: str) -> str:
    """Ask the webserver to load the code location anew; say what came of it.

    Raises
    ------
    OSError
        If it does not answer.
    """
    body = json.dumps({"query": RELOAD, "variables": {"location": location}}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        return f"{location} not reloaded: {error}"
    result = (answer.get("data") or {}).get("reloadRepositoryLocation") or {"message": str(answer)}
    outcome = result.get("locationOrLoadError") or result
    if outcome.get("__typename") == "RepositoryLocation":
        return f"reloaded {location}"
    return f"{location} not reloaded: {outcome.get('message') or outcome['__typename']}"


def defines(path: Path, directory: Path) -> bool:
    """Whether a changed file may define assets: any of a task but its raw data."""
    if path.name == TASK_FILE or path.suffix == ".py":
        return True
    for folder in path.parents:
        if (folder / TASK_FILE).is_file():
            return not _is_raw_data(path, folder)
        if folder == directory:
            break
    return False


def _is_raw_data(path: Path, folder: Path) -> bool:
    try:
        task = load_task(folder)
        return path.resolve() in {file.resolve() for file in source_files(task)}
    except EpoxyError:
        return False


if __name__ == "__main__":
    watch_and_reload(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
