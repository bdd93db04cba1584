"""Fitting a label model on all votes, and every item's probabilities, beside three others."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import Run
from benchmarks.speed.measure import Measured
from benchmarks.speed.peers.inside import Engine, Job, Work
from epoxy_core.label_model import ChosenLabelModel, DawidSkene, LabelModel, Triplets

STAGE = "label_models"
PATIENCE = 150.0
"""Seconds for the peer that may be slow without end."""
FIRST = "ours, chosen by itself"


def chosen(job: Job) -> Work:
    """The default: fit all, take the one that suits."""
    return _work(job, lambda: ChosenLabelModel(2))


def dawid_skene(job: Job) -> Work:
    """Dawid–Skene alone."""
    return _work(job, lambda: DawidSkene(2))


def triplets(job: Job) -> Work:
    """Triplets alone."""
    return _work(job, lambda: Triplets(2))


ENGINES: dict[str, Engine] = {
    "chosen": chosen,
    "dawid_skene": dawid_skene,
    "triplets": triplets,
}


def stage(run: Run) -> list[Record]:
    """Measure, and say which share of the items with votes is labelled as by our default."""
    contenders = [
        Contender(FIRST, "chosen"),
        Contender("ours, Dawid–Skene", "dawid_skene"),
        Contender("ours, triplets", "triplets"),
        Contender("Snorkel LabelModel, 500 epochs, one thread", "snorkel", ours=False, threads=1),
        Contender("Snorkel LabelModel, 500 epochs", "snorkel", ours=False),
        Contender("FlyingSquid, one thread", "flyingsquid", ours=False, threads=1),
        Contender(
            "crowd-kit Dawid–Skene, 20 iterations, one thread",
            "dawid_skene",
            ours=False,
            threads=1,
            limit=PATIENCE,
        ),
    ]
    found, covered = run.folder / "found.npy", (np.load(run.votes) >= 0).any(axis=1)
    labels: dict[str, npt.NDArray[np.int64]] = {}

    def judge(contender: Contender, measured: Measured) -> Mapping[str, Any]:
        labels[contender.name] = np.load(found)[covered].argmax(axis=1)
        if FIRST not in labels:
            return {}
        return {"as_ours": float((labels[contender.name] == labels[FIRST]).mean())}

    job = {"votes": str(run.votes), "found": str(found)}
    return contest(run, STAGE, contenders, lambda _: job, judge)


def _work(job: Job, make: Callable[[], LabelModel | ChosenLabelModel]) -> Work:
    votes = np.load(job["votes"])

    def keep(probabilities: npt.NDArray[np.float64]) -> dict[str, Any]:
        np.save(job["found"], probabilities.astype(np.float32))
        return {}

    make().fit(votes[:1000])
    return Work(lambda: make().fit(votes).predict_proba(votes), keep)
