"""Label models of others, fitted on votes and asked for the same items' probabilities."""

import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from inside import Engine, Job, Work, answer

ITERATIONS = 20
WARM_UP = 1_000


def snorkel(job: Job) -> Work:
    """``LabelModel``, 500 epochs as in Snorkel's tutorials."""
    from snorkel.labeling.model import LabelModel

    votes = np.load(job["votes"]).astype(np.int64)

    def label(some: np.ndarray) -> np.ndarray:
        model = LabelModel(cardinality=2, verbose=False)
        model.fit(some, n_epochs=500, seed=0, progress_bar=False)
        return model.predict_proba(some)

    label(votes[:WARM_UP])
    return _work(job, lambda: label(votes))


def flyingsquid(job: Job) -> Work:
    """``LabelModel`` with independent LFs."""
    from flyingsquid.label_model import LabelModel

    votes = np.load(job["votes"])
    signed = np.where(votes < 0, 0, 2 * votes - 1).astype(np.float64)

    def label(some: np.ndarray) -> np.ndarray:
        model = LabelModel(some.shape[1])
        model.fit(some)
        return model.predict_proba(some)

    label(signed[:WARM_UP])
    return _work(job, lambda: label(signed))


def dawid_skene(job: Job) -> Work:
    """crowd-kit's; it labels the items with votes."""
    from crowdkit.aggregation import DawidSkene

    votes = np.load(job["votes"])
    items, lfs = np.nonzero(votes >= 0)
    cast = pd.DataFrame({"task": items, "worker": lfs, "label": votes[items, lfs]})

    def label(some: pd.DataFrame) -> np.ndarray:
        found = DawidSkene(n_iter=ITERATIONS, tol=0.0).fit_predict_proba(some)
        probabilities = np.full((len(votes), 2), 0.5)
        probabilities[found.index] = found.reindex(columns=[0, 1]).fillna(0)
        return probabilities

    label(cast.head(WARM_UP))
    return _work(job, lambda: label(cast))


ENGINES: dict[str, Engine] = {
    "snorkel": snorkel,
    "flyingsquid": flyingsquid,
    "dawid_skene": dawid_skene,
}


def _work(job: Job, label: Callable[[], np.ndarray]) -> Work:
    def keep(probabilities: np.ndarray) -> dict[str, Any]:
        np.save(job["found"], probabilities.astype(np.float32))
        return {}

    return Work(label, keep)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    answer(ENGINES, sys.argv[1])
