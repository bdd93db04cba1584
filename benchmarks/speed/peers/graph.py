"""Neighbour graphs of others: faiss, hnswlib, pynndescent, as their documentation calls them."""

import sys
from typing import Any

import numpy as np
from inside import Engine, Job, Work, answer

WARM_UP = 2_000


def faiss_flat(job: Job) -> Work:
    """``IndexFlatIP``: exhaustive, in float32."""
    import faiss

    vectors = _vectors(job)

    def search() -> np.ndarray:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return _without_self(index.search(vectors, job["k"] + 1)[1], job["k"])

    return _work(job, search)


def faiss_ivf(job: Job) -> Work:
    """``IndexIVFScalarQuantizer`` of 8 bits, 4·√n cells."""
    import faiss

    vectors = _vectors(job)
    cells = round(4 * len(vectors) ** 0.5)

    def search() -> np.ndarray:
        space = vectors.shape[1]
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(space),
            space,
            cells,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.train(vectors)
        index.add(vectors)
        index.nprobe = job["nprobe"]
        return _without_self(index.search(vectors, job["k"] + 1)[1], job["k"])

    return _work(job, search)


def hnswlib(job: Job) -> Work:
    """``Index`` with M = 16, ef_construction = 100, and the ef of the job."""
    import hnswlib

    vectors = _vectors(job)

    def search() -> np.ndarray:
        index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        index.init_index(max_elements=len(vectors), M=16, ef_construction=100)
        index.set_num_threads(job["threads"])
        index.add_items(vectors)
        index.set_ef(job["ef"])
        return _without_self(index.knn_query(vectors, job["k"] + 1)[0], job["k"])

    return _work(job, search)


def pynndescent(job: Job) -> Work:
    """``NNDescent`` with its defaults; compiled beforehand."""
    from pynndescent import NNDescent

    vectors = _vectors(job)

    def build(some: np.ndarray) -> np.ndarray:
        settings = {"n_neighbors": job["k"] + 1, "n_jobs": job["threads"], "random_state": 0}
        found, _ = NNDescent(some, metric="cosine", **settings).neighbor_graph
        return _without_self(found, job["k"])

    build(np.array(vectors[:WARM_UP]))
    return _work(job, lambda: build(vectors))


ENGINES: dict[str, Engine] = {
    "faiss_flat": faiss_flat,
    "faiss_ivf": faiss_ivf,
    "hnswlib": hnswlib,
    "pynndescent": pynndescent,
}


def _vectors(job: Job) -> np.ndarray:
    """Mapped to memory, and in it."""
    vectors = np.load(job["vectors"], mmap_mode="r")
    vectors[:, 0].sum()
    return vectors


def _work(job: Job, search: Any) -> Work:
    def keep(found: np.ndarray) -> dict[str, Any]:
        np.save(job["found"], found.astype(np.int32))
        return {}

    return Work(search, keep)


def _without_self(found: np.ndarray, k: int) -> np.ndarray:
    """Leave the item itself out of its k + 1 neighbours, or where it is missing the last."""
    itself = found == np.arange(len(found))[:, None]
    itself[~itself.any(axis=1), -1] = True
    return found[~itself].reshape(len(found), k)


if __name__ == "__main__":
    answer(ENGINES, sys.argv[1])
