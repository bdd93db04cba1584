"""The asset graph of one task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.checks import label_checks
from assets.corpus import corpus_assets
from assets.embeddings import embeddings_asset, embeddings_check
from assets.end_model import end_model_asset
from assets.evaluation import evaluation_asset
from assets.extended_votes import extended_assets
from assets.frames import frames_asset
from assets.keys import key
from assets.label_model import label_model_asset
from assets.labels import labels_asset
from assets.lexical import lexical_asset
from assets.lf_summary import lf_summary_asset
from assets.lf_votes import lf_assets
from assets.neighbors import neighbors_asset
from assets.refined_labels import refined_labels_asset
from assets.source import source_asset
from assets.store import Store
from assets.training_set import training_set_asset
from epoxy_core.home import Home
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.task import Task


@dataclass(frozen=True)
class TaskGraph:
    """Assets, checks and the job of one task."""

    assets: list[Any]
    checks: list[dg.AssetChecksDefinition]
    job: Any


def task_graph(task: Task) -> TaskGraph:
    """Wire one task from raw files to the evaluation.

    Raises
    ------
    EpoxyError
        If its labeling functions do not load.
    """
    lfs = load_labeling_functions(task)
    assets = [
        source_asset(task),
        corpus_assets(task),
        embeddings_asset(task),
        neighbors_asset(task),
        *lf_assets(task, lfs),
        extended_assets(task, lfs),
        label_model_asset(task, lfs),
        lf_summary_asset(task, lfs),
        labels_asset(task, lfs),
        refined_labels_asset(task, lfs),
        training_set_asset(task),
    ]
    if task.video:
        assets.append(frames_asset(task, task.video))
    if task.lexical_weight > 0:
        assets.append(lexical_asset(task))
    if task.end_model:
        assets.append(end_model_asset(task, task.end_model))
    if task.labels:
        assets.append(evaluation_asset(task))
    job = dg.define_asset_job(
        job_name(task),
        selection=dg.AssetSelection.key_prefixes([task.name])
        - dg.AssetSelection.assets(key(task, "source")),
        description=f"Raw files to training set: everything of the task `{task.name}`.",
        tags={"epoxy/task": task.name},
    )
    return TaskGraph(assets, [embeddings_check(task), *label_checks(task)], job)


def definitions_of(
    graphs: Sequence[TaskGraph],
    home: Home,
    assets: Sequence[Any] = (),
    jobs: Sequence[Any] = (),
    sensors: Sequence[dg.SensorDefinition] = (),
    schedules: Sequence[dg.ScheduleDefinition] = (),
) -> dg.Definitions:
    """Definitions of the given tasks and what is beside them.

    The executor runs every step in one process: a step is milliseconds, a process is seconds,
    and DuckDB wants one writer.
    """
    return dg.Definitions(
        assets=[*(asset for graph in graphs for asset in graph.assets), *assets],
        asset_checks=[check for graph in graphs for check in graph.checks],
        jobs=[*(graph.job for graph in graphs), *jobs],
        sensors=list(sensors),
        schedules=list(schedules),
        resources={"store": Store(home=str(home.root))},
        executor=dg.in_process_executor,
    )


def job_name(task: Task) -> str:
    """The task's job."""
    return f"{task.name}__label"
