"""Extension as in the authors' repository: per LF an ``IndexFlatIP`` of the items it votes on.

Those it abstains on are looked up in it, and take the vote of the nearest above a threshold.
"""

import sys
from typing import Any

import faiss
import numpy as np
from inside import Engine, Job, Work, answer


def published(job: Job) -> Work:
    """Extend the LFs of the job."""
    vectors = np.load(job["vectors"])
    votes = np.load(job["votes"])

    def extend() -> np.ndarray:
        extended = votes.copy()
        for lf in job["lfs"]:
            support = np.flatnonzero(votes[:, lf] >= 0)
            abstains = np.flatnonzero(votes[:, lf] < 0)
            index = faiss.IndexFlatIP(vectors.shape[1])
            index.add(vectors[support])
            similarity, nearest = index.search(vectors[abstains], 1)
            near = similarity[:, 0] >= job["threshold"]
            extended[abstains[near], lf] = votes[support[nearest[near, 0]], lf]
        return extended

    def keep(extended: np.ndarray) -> dict[str, Any]:
        np.save(job["found"], extended)
        return {}

    return Work(extend, keep)


ENGINES: dict[str, Engine] = {"published": published}

if __name__ == "__main__":
    answer(ENGINES, sys.argv[1])
