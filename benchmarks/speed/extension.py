"""Extension of ten LFs, and of one after an edit, beside the published way of doing it."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import EDITED, Run, mapped
from benchmarks.speed.graph import FEW_ENOUGH, K
from benchmarks.speed.measure import Measured, MeasuringError
from benchmarks.speed.peers.inside import Engine, Job, Work
from epoxy_core.labeling import load_labeling_functions
from epoxy_core.lend import Lent, extend, typical_similarity
from epoxy_core.neighbors import NeighborGraph, neighbor_graph, random_similarity, usual_recall
from epoxy_core.task import Task, load_task

STAGE = "extension"
GIVEN = 0.6
"""The threshold where one is given: then everything above it is found, as the peer does."""


def extend_all(job: Job) -> Work:
    """All LFs from nothing."""
    extended = _Extension(job)
    lfs = range(extended.votes.shape[1])
    extended.one(lfs[0], extended.votes[:, 0])  # compiles

    def keep(lent: list[Lent]) -> dict[str, Any]:
        np.save(job["found"], np.column_stack([each.extended.votes for each in lent]))
        return {}

    return Work(lambda: [extended.one(lf, extended.votes[:, lf]) for lf in lfs], keep)


def extend_edited(job: Job) -> Work:
    """One LF again, from its extended votes before the edit."""
    extended = _Extension(job)
    lf, edited = extended.names.index(EDITED), np.load(job["edited_votes"])
    before = extended.one(lf, extended.votes[:, lf])
    extended.one(lf, edited, before)  # compiles

    def keep(lent: Lent) -> dict[str, Any]:
        np.save(job["found"], lent.extended.votes)
        return {}

    return Work(lambda: extended.one(lf, edited, before), keep)


ENGINES: dict[str, Engine] = {"extend_all": extend_all, "extend_edited": extend_edited}


def stage(run: Run) -> list[Record]:
    """Measure; the published way only while it is a matter of minutes."""
    if not run.graph.exists():
        _leave_graph(run)
    votes, edited = np.load(run.votes), np.load(run.edited_votes)
    names = [lf.name for lf in load_labeling_functions(run.task)]
    after = run.folder / "votes_after.npy"
    position = names.index(EDITED)
    changed = votes.copy()
    changed[:, position] = edited
    np.save(after, changed)
    given, found = {"threshold": GIVEN}, run.folder / "found.npy"
    all_lfs, one_lf = "all LFs", "one LF edited"
    contenders = [
        Contender(f"ours, {all_lfs}", "extend_all"),
        Contender(f"ours, {one_lf}", "extend_edited"),
        Contender(f"ours, {all_lfs}, threshold {GIVEN}", "extend_all", settings=given),
        Contender(f"ours, {one_lf}, threshold {GIVEN}", "extend_edited", settings=given),
    ]
    if run.items <= FEW_ENOUGH and not run.quick:
        every = list(range(len(names)))
        contenders += [
            Contender(
                f"published (faiss), {what}, threshold {GIVEN}",
                "published",
                ours=False,
                settings={**given, "lfs": lfs, "votes": str(file)},
                repeat=1,
            )
            for what, lfs, file in ((all_lfs, every, run.votes), (one_lf, [position], after))
        ]
    results: dict[bool, Any] = {}

    def judge(contender: Contender, measured: Measured) -> Mapping[str, Any]:
        one, extended = one_lf in contender.name, np.load(found)
        if one and not contender.ours:
            extended = extended[:, position]
        abstained = (edited if one else votes) < 0
        figures = {"borrowed": int((abstained & (extended >= 0)).sum())}
        if not contender.settings:
            return figures
        if contender.ours:
            results[one] = extended
        elif one in results:
            figures["differ"] = int((extended != results[one]).sum())
        return figures

    job = {
        "task": str(run.task_folder),
        "vectors": str(run.vectors),
        "votes": str(run.votes),
        "edited_votes": str(run.edited_votes),
        "graph": str(run.graph),
        "found": str(found),
    }
    return contest(run, STAGE, contenders, lambda _: job, judge)


class _Extension:
    """What extending needs, read; the task's threshold replaced by that of the job, if any."""

    def __init__(self, job: Job) -> None:
        task: Task = load_task(Path(job["task"]))
        if "threshold" in job:
            settings = task.extension.model_copy(update={"threshold": job["threshold"]})
            task = task.model_copy(update={"extension": settings})
        self.task = task
        self.names = [lf.name for lf in load_labeling_functions(task)]
        self.vectors = mapped(job["vectors"])
        self.votes = np.load(job["votes"])
        self.graph: NeighborGraph = pickle.loads(Path(job["graph"]).read_bytes())
        self.floor = random_similarity(self.vectors, None)
        self.typical = typical_similarity(self.graph)
        self.gold = np.full(len(self.votes), -1, dtype=np.int8)

    def one(self, lf: int, own: np.ndarray, before: Lent | None = None) -> Lent:
        """Extend an LF."""
        own = np.ascontiguousarray(own)
        return extend(
            self.task,
            self.names[lf],
            own,
            self.graph,
            self.vectors,
            self.gold,
            self.floor,
            before=before,
            typical=self.typical,
        )


def _leave_graph(run: Run) -> None:
    """Make the graph where the graph's stage did not run."""
    if run.items > FEW_ENOUGH:
        raise MeasuringError("no graph of that size yet: run --stage graph before")
    graph = neighbor_graph(np.load(run.vectors), K, recall=usual_recall(run.items))
    run.graph.write_bytes(pickle.dumps(graph))
