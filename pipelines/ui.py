"""``epoxy ui``: Dagster's UI and daemon, which reload the tasks directory when it changes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import yaml

from assets.liveness import settle_dead_runs
from epoxy_core.home import Home
from pipelines.definitions import tasks_directory
from pipelines.instance import open_instance

LOCATION = "epoxy"
"""Name of the code location."""


def serve(home: Home, port: int) -> NoReturn:
    """Become ``dagster dev``, with the watcher as a child.

    This way round, whatever ends Dagster (Ctrl-C, a signal, a port in use) is handled by Dagster
    itself, and the watcher ends when its parent is gone: nothing is left behind.
    """
    with open_instance(home) as instance:
        settle_dead_runs(instance)
        os.environ["DAGSTER_HOME"] = instance.root_directory
        workspace = _workspace(Path(instance.root_directory))
    directory = tasks_directory()
    if directory.is_dir():
        url = f"http://127.0.0.1:{port}/graphql"
        watcher = [sys.executable, "-m", "pipelines.reload", str(directory.resolve())]
        subprocess.Popen([*watcher, url, LOCATION, str(os.getpid())], stdin=subprocess.DEVNULL)
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(dagster, command)


def _workspace(folder: Path) -> Path:
    """The workspace file, written so that the location has its name outside of a checkout, too."""
    module = {"module_name": "pipelines.definitions", "location_name": LOCATION}
    file = folder / "workspace.yaml"
    file.write_text(yaml.safe_dump({"load_from": [{"python_module": module}]}), encoding="utf-8")
    return file
