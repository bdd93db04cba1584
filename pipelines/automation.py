"""Relabeling without a person: a job, and what starts it, by the clock or on a change.

The job loads the task from disk, so a saved heuristic counts whether or not the code location was
reloaded since. Its single step holds no pool: it runs the same level runs as ``epoxy run``, in its
own process, and their steps take the pools.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from assets.keys import key, step
from assets.liveness import claim_run, settle_dead_runs
from epoxy_core.corpus import raw_files, to_fetch
from epoxy_core.errors import BusyError, EpoxyError, UnavailableError
from epoxy_core.home import Home
from epoxy_core.task import Task, load_task
from pipelines.graph import definitions_of, task_graph
from pipelines.relabel import lost, observe, relabel
from pipelines.staleness import DATA_VERSION, Staleness, staleness

DELAY = 2.0
"""Seconds before the first retry; it doubles with each."""


@dataclass(frozen=True)
class Automation:
    """The job that relabels a task, and what the task lets start it."""

    job: dg.JobDefinition
    sensors: list[dg.SensorDefinition] = field(default_factory=list)
    schedules: list[dg.ScheduleDefinition] = field(default_factory=list)


def automation(task: Task, home: Home) -> Automation:
    """What ``task.yaml`` says under ``automation``."""
    job = _relabel_job(task, home)
    on_change = [_on_change(task, home, job)] if task.automation.on_change else []
    cron = [_cron(task, job, task.automation.cron)] if task.automation.cron else []
    return Automation(job, on_change, cron)


def _relabel_job(task: Task, home: Home) -> dg.JobDefinition:
    folder = task.folder

    @dg.op(
        name=step(task, "bring_up_to_date"),
        description="What `epoxy run` does, on the task as it is on disk. Its runs carry this "
        "run's id in the tag `epoxy/relabel`.",
        out=dg.Out(dg.Nothing),
        retry_policy=dg.RetryPolicy(
            max_retries=task.automation.retries, delay=DELAY, backoff=dg.Backoff.EXPONENTIAL
        ),
    )
    def bring_up_to_date(context: dg.OpExecutionContext) -> None:
        instance, run = context.instance, context.run
        together = {"epoxy/relabel": run.run_id, "epoxy/trigger": run.tags["epoxy/trigger"]}
        instance.add_run_tags(run.run_id, together)
        claim_run(instance, run)

        def announce(level: Mapping[dg.AssetKey, Staleness]) -> None:
            for asset, why in level.items():
                context.log.info(f"{asset.to_user_string()}: {why}")

        passing = BusyError, UnavailableError
        try:
            now = load_task(folder)
            definitions = definitions_of([task_graph(now)], home)
            done = relabel(instance, definitions, now, announce, together)
        except EpoxyError as error:
            raise dg.Failure(str(error), allow_retries=isinstance(error, passing)) from error
        if done.failures:
            raise dg.Failure("\n".join(done.failures), allow_retries=done.retry_may_help)
        context.log.info(f"{len(done.ran)} assets in {done.seconds['total']:.1f} s")

    @dg.job(
        name=relabel_job_name(task),
        description=f"Bring `{task.name}` up to date: what is stale, and nothing else.",
        executor_def=dg.in_process_executor,
        config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
        tags={
            "epoxy/task": task.name,
            "epoxy/trigger": "ui",
            "epoxy/queue": task.name,
            "dagster/max_retries": str(task.automation.retries),
            "dagster/retry_on_asset_or_op_failure": "false",
        },
    )
    def relabel_job() -> None:
        bring_up_to_date()

    return relabel_job


def _cron(task: Task, job: dg.JobDefinition, cron: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=step(task, "cron"),
        job=job,
        cron_schedule=cron,
        tags={"epoxy/trigger": "schedule"},
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="automation.cron in task.yaml, in UTC.",
    )


def _on_change(task: Task, home: Home, job: dg.JobDefinition) -> dg.SensorDefinition:
    folder = task.folder

    @dg.sensor(
        name=step(task, "on_change"),
        job=job,
        minimum_interval_seconds=task.automation.poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Relabels when a heuristic, a setting or the raw data is another than the "
        "labels were made from. What failed is tried again when something changes.",
    )
    def on_change(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        settle_dead_runs(context.instance)
        try:
            now = load_task(folder)
            if not now.automation.on_change:
                return dg.SkipReason("automation.on_change is off")
            definitions = definitions_of([task_graph(now)], home)
            files = raw_file_stats(now)
            if files and files != context.cursor:
                observe(context.instance, now)
                context.update_cursor(files)
        except EpoxyError as error:
            return dg.SkipReason(str(error))
        gone = lost(definitions, now, definitions.resolve_asset_graph().materializable_asset_keys)
        stale = {
            asset: why
            for asset, why in staleness(context.instance, definitions, gone).items()
            if why
        }
        if not stale:
            return dg.SkipReason("fresh")
        first = next(iter(stale))
        return dg.RunRequest(
            run_key=_run_key(context.instance, definitions, now, job.name),
            tags={
                "epoxy/trigger": "sensor",
                "epoxy/why": f"{first.to_user_string()}: {stale[first]}"[:200],
            },
        )

    return on_change


def relabel_job_name(task: Task) -> str:
    """The job that relabels a task."""
    return step(task, "relabel")


def raw_file_stats(task: Task) -> str:
    """Digest of name, size and time of the raw files; empty while they are yet to be fetched."""
    if to_fetch(task):
        return ""
    stats = [(path, path.stat()) for path in raw_files(task) if path.exists()]
    return _digest([(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats])


def _run_key(
    instance: dg.DagsterInstance, definitions: dg.Definitions, task: Task, job: str
) -> str:
    """Digest of what labels would be made from, and the last relabeling that succeeded.

    Dagster starts one run per key: a state that fails is tried once, a state that is returned to
    after another was labelled is a new key.
    """
    graph = definitions.resolve_asset_graph()
    code = {
        asset.to_user_string(): graph.get(asset).code_version
        for asset in graph.get_all_asset_keys()
    }
    raw = [
        event.asset_observation.tags.get(DATA_VERSION)
        for event in instance.fetch_observations(key(task, "source"), limit=1).records
        if event.asset_observation
    ]
    last = instance.get_run_records(
        dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
    )
    return _digest([sorted(code.items()), raw, [record.dagster_run.run_id for record in last]])


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=16).hexdigest()
