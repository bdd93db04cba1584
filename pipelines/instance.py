"""The Dagster instance shared by the command line, the UI and the daemon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from epoxy_core.home import Home

SETTINGS = """\
# Written by `epoxy`; yours to edit.
telemetry:
  enabled: false
nux: # no newsletter dialog
  enabled: false
concurrency:
  pools:
    default_limit: 1 # one writer per DuckDB file, one encoder at a time
event_log_storage: # one SQLite file instead of one per run: half the cost per asset
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config:
    base_dir: {storage}
"""


def prepare(home: Home) -> Path:
    """Dagster's home: ``DAGSTER_HOME`` if set, otherwise a folder of ours, made on first use."""
    chosen = os.environ.get("DAGSTER_HOME")
    folder = Path(chosen) if chosen else home.dagster
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "dagster.yaml"
    if not settings.exists() and not chosen:
        settings.write_text(SETTINGS.format(storage=folder / "storage"), encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder.resolve())
    return folder


@contextmanager
def open_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The shared instance, closed afterwards."""
    prepare(home)
    with dg.DagsterInstance.get() as instance:
        yield instance
