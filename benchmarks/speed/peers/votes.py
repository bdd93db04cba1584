"""Snorkel's applier on the benchmark's heuristics."""

import sys
from typing import Any

import numpy as np
import pandas as pd
from heuristics import HEURISTICS
from inside import Engine, Job, Work, answer


def snorkel(job: Job) -> Work:
    """``PandasLFApplier`` on a frame that is in memory."""
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    items = pd.read_parquet(job["texts"], columns=["text"])
    lfs = [LabelingFunction(name=function.__name__, f=function) for function in HEURISTICS]

    def keep(votes: np.ndarray) -> dict[str, Any]:
        np.save(job["found"], votes.astype(np.int8))
        return {}

    return Work(lambda: PandasLFApplier(lfs).apply(items, progress_bar=False), keep)


ENGINES: dict[str, Engine] = {"snorkel": snorkel}

if __name__ == "__main__":
    answer(ENGINES, sys.argv[1])
