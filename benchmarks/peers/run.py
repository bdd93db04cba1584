"""The peers' label models, called as their documentation calls them.

Runs in an environment of its own (requirements.txt), one process for many jobs: reads a line
``JOB<tab>ANSWER`` with the names of two npz files, answers ``done`` once the answer is written or
``failed`` and why. Votes are int8, −1 = abstain.

Job: ``method``, ``fit`` [n, m], ``predict`` [q, m], ``n_classes``, ``seed`` and ``balance`` [K]
or, for the peer's default, []. Answer: ``probabilities`` [q, K], ``seconds`` of fit and predict,
``mebibytes`` that they took beyond what the process held before.
"""

import importlib.metadata
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
from flyingsquid.label_model import LabelModel as FlyingSquid
from memory import with_peak
from snorkel.labeling.model import LabelModel as Snorkel

PACKAGES = ("snorkel", "flyingsquid", "pgmpy", "crowd-kit", "torch", "numpy", "pandas")
FRAMES = 3

Job = dict[str, Any]


def snorkel(job: Job) -> np.ndarray:
    """``LabelModel`` of Ratner et al. 2019, 500 epochs as in Snorkel's tutorials."""
    model = Snorkel(cardinality=int(job["n_classes"]), verbose=False)
    model.fit(
        job["fit"].astype(np.int64),
        class_balance=_balance(job),
        n_epochs=500,
        seed=int(job["seed"]),
        progress_bar=False,
    )
    return model.predict_proba(job["predict"].astype(np.int64))


def flyingsquid(job: Job, **options: Any) -> np.ndarray:
    """``LabelModel`` with independent LFs; triplets by their mean, its default."""
    model = FlyingSquid(job["fit"].shape[1])
    model.fit(_signed(job["fit"]), class_balance=_balance(job), **options)
    return model.predict_proba(_signed(job["predict"]))


def flyingsquid_median(job: Job) -> np.ndarray:
    """The median over triplets, as in the notebook of the Epoxy repository."""
    return flyingsquid(job, solve_method="triplet_median")


def flyingsquid_chain(job: Job) -> np.ndarray:
    """Windows of three consecutive frames, as in the video tutorial.

    The tutorial drops what is left after the last whole window; here the last frames are read in
    a window that overlaps with the one before.
    """

    def windows(votes: np.ndarray) -> np.ndarray:
        return votes[: len(votes) // FRAMES * FRAMES].reshape(-1, FRAMES * votes.shape[1])

    per_frame = job["fit"].shape[1]
    lfs = range(FRAMES * per_frame)
    model = FlyingSquid(
        len(lfs),
        v=FRAMES,
        y_edges=[(frame, frame + 1) for frame in range(FRAMES - 1)],
        lambda_y_edges=[(lf, lf // per_frame) for lf in lfs],
    )
    model.fit(windows(_signed(job["fit"])))
    votes = _signed(job["predict"])
    left = len(votes) % FRAMES
    positive = model.predict_proba_marginalized(windows(votes))
    if left:
        positive = np.append(
            positive, model.predict_proba_marginalized(windows(votes[-FRAMES:]))[-left:]
        )
    return np.column_stack([1 - positive, positive])


def dawid_skene(job: Job) -> np.ndarray:
    """crowd-kit's Dawid–Skene; the posterior of unseen items by its own E-step's formula.

    It labels only the items it is fitted on. An item without votes is a tie.
    """
    items, lfs = np.nonzero(job["fit"] >= 0)
    votes = pd.DataFrame({"task": items, "worker": lfs, "label": job["fit"][items, lfs]})
    model = DawidSkene(n_iter=100).fit(votes)
    classes = range(int(job["n_classes"]))
    priors = model.priors_.reindex(classes).fillna(1e-10).clip(lower=1e-10)
    log_errors = np.log(model.errors_.reindex(columns=classes).fillna(1e-10))
    known = {key: row.to_numpy() for key, row in log_errors.iterrows()}
    predict = job["predict"]
    scores = np.tile(np.log(priors.to_numpy()), (len(predict), 1))
    scores[~(predict >= 0).any(axis=1)] = 0
    for item, lf in zip(*np.nonzero(predict >= 0), strict=True):
        scores[item] += known.get((lf, predict[item, lf]), 0)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


METHODS: dict[str, Callable[[Job], np.ndarray]] = {
    "snorkel": snorkel,
    "flyingsquid": flyingsquid,
    "flyingsquid_median": flyingsquid_median,
    "flyingsquid_chain": flyingsquid_chain,
    "dawid_skene": dawid_skene,
}


def answer(job_file: str, answer_file: str) -> None:
    """Do one job."""
    with np.load(job_file) as stored:
        job = dict(stored)
    started = time.perf_counter()
    probabilities, mebibytes = with_peak(lambda: METHODS[str(job["method"])](job))
    seconds = time.perf_counter() - started
    np.savez(
        answer_file,
        probabilities=np.asarray(probabilities, np.float64),
        seconds=seconds,
        mebibytes=mebibytes,
    )


def main() -> None:
    """Do jobs until standard input ends. The peers' own output goes to standard error."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    replies, sys.stdout = sys.stdout, sys.stderr
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    print(json.dumps(versions), file=replies, flush=True)
    for line in sys.stdin:
        try:
            answer(*line.rstrip("\n").split("\t"))
            reply = "done"
        except Exception as error:  # whatever a peer raises is the answer to the job
            reply = f"failed {type(error).__name__}: {error}".replace("\n", " ")
        print(reply, file=replies, flush=True)


def _signed(votes: np.ndarray) -> np.ndarray:
    """Classes 0 and 1 to −1 and +1, abstain to 0."""
    return np.where(votes < 0, 0, 2 * votes - 1).astype(np.float64)


def _balance(job: Job) -> np.ndarray | None:
    return job["balance"] if len(job["balance"]) else None


if __name__ == "__main__":
    main()
