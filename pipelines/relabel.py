"""Bring a task up to date in this process, level by level, recorded in the Dagster instance."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import dagster as dg

from assets.keys import key
from assets.liveness import process_tag
from assets.source import observe_source
from assets.store import Store
from epoxy_core.task import Task
from pipelines.graph import job_name
from pipelines.recovery import exclusively
from pipelines.staleness import DATA_VERSION, Staleness, staleness
from pipelines.unrecorded import all_recorded, unrecorded

WRITTEN_FOR_USERS = {"EpoxyError", "BusyError", "UnavailableError", "OneClassError", "Failure"}
"""Exceptions whose message needs neither their name nor what caused them."""

BEYOND_RETRIES = {"EpoxyError", "OneClassError", "Failure", "DagsterAssetCheckFailedError"}
"""Exceptions that come back until someone changes something."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Relabeling:
    """What one call did.

    Attributes
    ----------
    ran
        Assets materialised, in order, each with why it was out of date.
    failures
        Messages of the steps that failed; what does not depend on them is up to date.
    retry_may_help
        Whether no failure is of the kind that comes back until someone changes something.
    seconds
        Wall time per step, and of the whole call under ``total``.
    """

    ran: dict[dg.AssetKey, Staleness] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    retry_may_help: bool = True
    seconds: dict[str, float] = field(default_factory=dict)


def relabel(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    task: Task,
    announce: Callable[[dict[dg.AssetKey, Staleness]], None] = lambda level: None,
    tags: Mapping[str, str] | None = None,
) -> Relabeling:
    """Materialise what is out of date, and nothing else.

    Each level of the graph is one Dagster run; what it did is looked at before the next, so that
    a result which did not change stops the wave there.

    Parameters
    ----------
    instance
        The shared Dagster instance.
    definitions
        Definitions that hold the task.
    task
        The task.
    announce
        Called with the assets of each level before they run.
    tags
        Run tags of every level.
    """
    start = perf_counter()
    done = Relabeling()
    with exclusively(instance, task):
        observe(instance, task)
        all_tags = {**(tags or {}), **process_tag(instance)}
        _relabel(instance, definitions, task, announce, all_tags, done)
    done.seconds["total"] = perf_counter() - start
    return done


def _relabel(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    task: Task,
    announce: Callable[[dict[dg.AssetKey, Staleness]], None],
    tags: Mapping[str, str],
    done: Relabeling,
) -> None:
    job = definitions.resolve_job_def(job_name(task))
    graph = definitions.resolve_asset_graph()
    gone = lost(definitions, task, graph.materializable_asset_keys)
    for level in graph.toposorted_asset_keys_by_level:
        reasons = staleness(instance, definitions, gone - done.ran.keys())
        stale = {
            asset: why for asset in level if (why := reasons.get(asset)) and asset not in done.ran
        }
        if not stale:
            continue
        selection = {
            other for asset in stale for other in graph.get(asset).execution_set_asset_keys
        }
        announce(stale)
        result = job.execute_in_process(
            instance=instance,
            asset_selection=sorted(selection),
            run_config=QUIET,
            raise_on_error=False,
            tags=dict(tags),
        )
        for event in result.get_asset_materialization_events():
            asset = event.asset_key
            if asset:
                done.ran[asset] = reasons[asset]
        _note_times(instance, result, done)
        if not result.success:
            done.failures += _failures(result)
            done.retry_may_help = not any(map(_comes_back, result.get_step_failure_events()))
            return
    all_recorded(Store(home=(definitions.resources or {})["store"].home).paths, task)


def observe(instance: dg.DagsterInstance, task: Task) -> None:
    """Record the raw files' data version if it is another than the last one recorded."""
    source = key(task, "source")
    version = observe_source(task).value
    last = instance.fetch_observations(source, limit=1).records
    if not last or last[0].asset_observation.tags.get(DATA_VERSION) != version:  # type: ignore[union-attr]
        instance.report_runless_asset_event(
            dg.AssetObservation(source, tags={DATA_VERSION: version})
        )


def lost(
    definitions: dg.Definitions, task: Task, assets: Iterable[dg.AssetKey]
) -> set[dg.AssetKey]:
    """Assets whose file or directory was removed, or never was in this output directory.

    And those that a warm session wrote and did not record, see `pipelines.unrecorded`.
    """
    home = Store(home=(definitions.resources or {})["store"].home).paths
    others = {
        "frames": [home.lance(task.name)],
        "embeddings": [home.lance(task.name)],
        "neighbors": [home.neighbors(task.name)],
        "lexical": [home.lexical(task.name)],
        "training_set": [home.database(task.name), home.training_set(task.name)],
        "end_model": [home.database(task.name), home.end_model(task.name)],
    }
    ahead = unrecorded(home, task)
    return {
        asset
        for asset in assets
        if asset.path[0] == task.name
        and (
            asset in ahead
            or not all(
                place.exists() for place in others.get(asset.path[1], [home.database(task.name)])
            )
        )
    }


def _note_times(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, done: Relabeling
) -> None:
    for stats in instance.get_run_step_stats(result.run_id):
        if stats.start_time and stats.end_time:
            done.seconds[stats.step_key] = stats.end_time - stats.start_time


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    messages = [
        f"{check.asset_key.path[-1]}: {check.description}"
        for check in result.get_asset_check_evaluations()
        if check.blocking and not check.passed and check.description
    ]
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        if error and error.cls_name == "DagsterAssetCheckFailedError" and messages:
            continue
        messages.append(_message(error) if error else event.message or "failed")
    return messages or ["the run failed; the Dagster UI has its log"]


def _comes_back(failure: dg.DagsterEvent) -> bool:
    error = failure.step_failure_data.error
    while error and error.cls_name not in BEYOND_RETRIES:
        error = error.cause
    return error is not None


def _message(error: Any) -> str:
    """The outermost message that was written for the user, or else that of the first cause."""
    while error.cls_name not in WRITTEN_FOR_USERS and error.cause:
        error = error.cause
    message = str(error.message).strip()
    return message.partition(": ")[2] if error.cls_name in WRITTEN_FOR_USERS else message
