"""Bring a task up to date in this process, level by level, recorded in the Dagster instance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import dagster as dg

from assets.keys import key
from assets.source import observe_source
from epoxy_core.task import Task
from pipelines.graph import job_name
from pipelines.staleness import DATA_VERSION, Staleness, staleness

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
    seconds
        Wall time per step, and of the whole call under ``total``.
    """

    ran: dict[dg.AssetKey, Staleness] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def relabel(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    task: Task,
    announce: Callable[[dict[dg.AssetKey, Staleness]], None] = lambda level: None,
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
    """
    start = perf_counter()
    done = Relabeling()
    observe(instance, task)
    job = definitions.resolve_job_def(job_name(task))
    graph = definitions.resolve_asset_graph()
    for level in graph.toposorted_asset_keys_by_level:
        reasons = staleness(instance, definitions)
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
            tags={"epoxy/trigger": "epoxy run"},
        )
        for event in result.get_asset_materialization_events():
            asset = event.asset_key
            if asset:
                done.ran[asset] = reasons[asset]
        _note_times(instance, result, done)
        if not result.success:
            done.failures += _failures(result)
            break
    done.seconds["total"] = perf_counter() - start
    return done


def observe(instance: dg.DagsterInstance, task: Task) -> None:
    """Record the raw files' data version if it is another than the last one recorded."""
    source = key(task, "source")
    version = observe_source(task).value
    last = instance.fetch_observations(source, limit=1).records
    if not last or last[0].asset_observation.tags.get(DATA_VERSION) != version:  # type: ignore[union-attr]
        instance.report_runless_asset_event(
            dg.AssetObservation(source, tags={DATA_VERSION: version})
        )


def _note_times(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, done: Relabeling
) -> None:
    for stats in instance.get_run_step_stats(result.run_id):
        if stats.start_time and stats.end_time:
            done.seconds[stats.step_key] = stats.end_time - stats.start_time


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    messages = []
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        while error and error.cause:
            error = error.cause
        messages.append(error.message.strip() if error else event.message or "failed")
    return messages or ["the run failed; the Dagster UI has its log"]
