"""Raw text to training set through Dagster, the vectors already stored: time and memory."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from assets.store import Store
from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import Run, stored_vectors
from benchmarks.speed.measure import Measured, MeasuringError
from benchmarks.speed.peers.inside import Engine, Job, Work
from epoxy_core.corpus import content_hash
from epoxy_core.home import Home
from epoxy_core.task import Task, load_task

STAGE = "pipeline"


def dagster(job: Job) -> Work:
    """``relabel`` of a task of which nothing but the vectors is stored."""
    from pipelines.definitions import build
    from pipelines.instance import open_instance
    from pipelines.relabel import Relabeling, relabel

    task, home = load_task(Path(job["folder"])), Home(Path(job["home"]))

    def call() -> Relabeling:
        with open_instance(home) as instance:
            return relabel(instance, build([task], home), task)

    def keep(done: Relabeling) -> dict[str, Any]:
        steps = []
        with open_instance(home) as instance:
            for run in instance.get_runs():
                steps += [
                    {"step": stats.step_key, "started": stats.start_time, "ended": stats.end_time}
                    for stats in instance.get_run_step_stats(run.run_id)
                    if stats.start_time and stats.end_time
                ]
        return {"steps": steps, "failures": done.failures}

    return Work(call, keep)


ENGINES: dict[str, Engine] = {"dagster": dagster}


def stage(run: Run) -> list[Record]:
    """One run, from a new output directory."""
    home = _home(run)
    shutil.rmtree(home.root, ignore_errors=True)
    _store_vectors(run, home)

    def judge(contender: Contender, measured: Measured) -> Mapping[str, Any]:
        if measured.figures["failures"]:
            raise MeasuringError("; ".join(measured.figures["failures"]))
        places = [*sorted(home.task(run.task.name).iterdir()), home.dagster]
        return {
            "steps": _with_memory(measured, run.task.name),
            "disk": {place.name: _bytes(place) for place in places if place.exists()},
        }

    job = {"folder": str(run.task_folder), "home": str(home.root)}
    contender = Contender("raw text to training set", "dagster", repeat=1)
    return contest(replace(run, rounds=1), STAGE, [contender], lambda _: job, judge)


def ready_home(run: Run) -> Home:
    """The output directory of the pipeline's stage, or a new one with the vectors."""
    home = _home(run)
    if not home.lance(run.task.name).exists():
        _store_vectors(run, home)
    return home


def _home(run: Run) -> Home:
    return Home(run.folder / "home")


def _store_vectors(run: Run, home: Home) -> None:
    """Store them as the task's encoder's, where the assets look for them."""
    task: Task = run.task
    hashes = [content_hash(text) for text in pl.read_parquet(run.texts)["text"]]
    store = Store(home=str(home.root)).embeddings(task)
    for first, block in stored_vectors(run):
        store.append(hashes[first : first + len(block)], block)
    store.compact()


def _with_memory(measured: Measured, task: str) -> list[dict[str, Any]]:
    """Each step's seconds, and the most memory seen meanwhile."""
    rows = []
    for step in sorted(measured.figures["steps"], key=lambda step: step["started"]):
        highest = measured.highest(step["started"], step["ended"])
        rows.append(
            {
                "step": step["step"].removeprefix(f"{task}__"),
                "seconds": step["ended"] - step["started"],
                "own": highest.own if highest else None,
                "files": highest.files if highest else None,
            }
        )
    return rows


def _bytes(place: Path) -> int:
    """Of a file, or of all files in a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(place)
        for name in names
    )
