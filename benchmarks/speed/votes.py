"""Ten labeling functions on all items, beside Snorkel's applier on the same heuristics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import Run
from benchmarks.speed.measure import Measured
from benchmarks.speed.peers.heuristics import HEURISTICS
from benchmarks.speed.peers.inside import Engine, Job, Work
from epoxy_core.labeling import (
    LabelingFunction,
    LFResult,
    apply_labeling_functions,
    labeling_function,
    load_labeling_functions,
)
from epoxy_core.task import load_task

STAGE = "votes"


def ready_made(job: Job) -> Work:
    """Keywords, regular expressions, Polars expressions."""
    return _applied(job, load_labeling_functions(load_task(Path(job["task"]))))


def functions(job: Job) -> Work:
    """The functions that Snorkel is given."""
    return _applied(job, [labeling_function(function) for function in HEURISTICS])


ENGINES: dict[str, Engine] = {"ready_made": ready_made, "functions": functions}


def stage(run: Run) -> list[Record]:
    """Measure, and count the votes that differ from those of the ready-made heuristics."""
    contenders = [
        Contender("ours, ready-made and expressions", "ready_made"),
        Contender("ours, Python functions", "functions"),
    ]
    if not run.quick:
        contenders.append(Contender("Snorkel PandasLFApplier", "snorkel", ours=False))
    found, votes = run.folder / "found.npy", np.load(run.votes)

    def judge(contender: Contender, measured: Measured) -> Mapping[str, Any]:
        other = np.load(found) != votes
        return {"votes": int((votes >= 0).sum()), "differ": int(other.sum())}

    job = {"task": str(run.task_folder), "texts": str(run.texts), "found": str(found)}
    return contest(run, STAGE, contenders, lambda _: job, judge)


def _applied(job: Job, lfs: Sequence[LabelingFunction]) -> Work:
    items = pl.read_parquet(job["texts"])

    def keep(results: list[LFResult]) -> dict[str, Any]:
        np.save(job["found"], np.column_stack([result.votes for result in results]))
        return {"errors": sum(result.n_errors for result in results)}

    return Work(lambda: apply_labeling_functions(lfs, items, ["negative", "positive"]), keep)
