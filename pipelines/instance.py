"""The Dagster instance shared by the command line, the UI and the daemon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from epoxy_core.errors import EpoxyError
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
  runs:
    tag_concurrency_limits: # one relabeling per task; another waits in the queue
      - key: epoxy/queue
        value:
          applyLimitPerUniqueValue: true
        limit: 1
run_queue:
  dequeue_interval_seconds: 1
run_monitoring: # a run that does not start, or does not end when told to, gives way to others
  enabled: true
  start_timeout_seconds: 120
  cancel_timeout_seconds: 60
  poll_interval_seconds: 30
  free_slots_after_run_end_seconds: 10
run_retries: # of killed processes: jobs say how often
  enabled: true
  max_retries: 0
  retry_on_asset_or_op_failure: false
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
    settings = folder / "dagster.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not settings.exists() and not chosen:
            settings.write_text(SETTINGS.format(storage=folder / "storage"), encoding="utf-8")
    except OSError as error:
        raise EpoxyError(
            f"cannot be written: {error.strerror}",
            where=str(folder),
            remedy=f"Point {'DAGSTER_HOME' if chosen else 'EPOXY_HOME'} at a folder of yours.",
        ) from error
    return folder.resolve()


@contextmanager
def open_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """The shared instance, closed afterwards.

    Raises
    ------
    EpoxyError
        If its folder cannot be written, its settings are wrong or its database is damaged.
    """
    folder = prepare(home)
    try:
        opened = dg.DagsterInstance.from_config(str(folder))
    except Exception as error:  # YAML, configuration and SQL errors have no common base
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EpoxyError(
            f"Dagster's instance cannot be opened: {reason}",
            where=str(folder),
            remedy="Mend its dagster.yaml, or remove the folder: it holds the history of runs, "
            "and the next run makes it anew.",
        ) from error
    with opened as instance:
        yield instance
