"""The neighbour graph: the 32 most similar items of every item, beside four other engines."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import Run, Vectors, mapped, stored_vectors
from benchmarks.speed.measure import Measured
from benchmarks.speed.peers.inside import Engine, Job, Work
from epoxy_core.neighbors import usual_recall

STAGE = "graph"
K = 32
RECALLS = (1.0, 0.998, 0.98)
FEW_ENOUGH = 200_000
"""Of more items, nobody compares all pairs."""
LOW_RECALLS = (0.96, 0.93)
SAMPLE = 1_000
TIE = 1e-6
WARM_UP = 6_000

Found = npt.NDArray[np.int32]


def ours(job: Job) -> Work:
    """``neighbor_graph`` at a recall; the engine it will choose compiled beforehand."""
    from epoxy_core.neighbors import NeighborGraph, neighbor_graph
    from epoxy_core.neighbors.engines import choose

    vectors = mapped(job["vectors"])
    engine = choose(len(vectors), job["recall"])
    neighbor_graph(np.array(vectors[:WARM_UP]), K, recall=job["recall"], engine=engine)

    def keep(graph: NeighborGraph) -> dict[str, Any]:
        np.save(job["found"], graph.indices)
        if job["for_others"]:
            Path(job["graph"]).write_bytes(pickle.dumps(graph))
        return {"engine": graph.engine, "claimed": graph.recall}

    return Work(lambda: neighbor_graph(vectors, K, recall=job["recall"]), keep)


ENGINES: dict[str, Engine] = {"ours": ours}


def stage(run: Run) -> list[Record]:
    """Measure all engines, and how many neighbours of a sample of items they find.

    The product's graph at its default recall is left to the extension's stage.
    """
    large = run.items > FEW_ENOUGH
    usual = usual_recall(run.items)
    recalls = {usual, *(LOW_RECALLS if large else RECALLS)}
    contenders = [
        Contender(
            f"ours, recall {_shown(recall)}" + ", the default" * (recall == usual),
            "ours",
            settings={"recall": recall, "for_others": recall == usual},
            repeat=1,
        )
        for recall in sorted(recalls, reverse=True)
    ]

    def peer(name: str, engine: str, **settings: int) -> Contender:
        return Contender(name, engine, ours=False, settings=settings, repeat=1)

    if not large:
        contenders.append(peer("faiss flat", "faiss_flat"))
    contenders += [
        peer("faiss IVF-SQ8, nprobe 8", "faiss_ivf", nprobe=8),
        peer("faiss IVF-SQ8, nprobe 32", "faiss_ivf", nprobe=32),
        peer("hnswlib, ef 64", "hnswlib", ef=64),
        peer("pynndescent", "pynndescent"),
    ]
    found = run.folder / "found.npy"
    sample, least = exact_neighbors(run)
    vectors = np.load(run.vectors, mmap_mode="r")

    def judge(contender: Contender, measured: Measured) -> Mapping[str, Any]:
        return {"recall": recall_of(vectors, sample, least, np.load(found)[sample])}

    job = {"vectors": str(run.vectors), "found": str(found), "graph": str(run.graph), "k": K}
    return contest(run, STAGE, contenders, lambda _: job, judge)


def exact_neighbors(run: Run) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """A sample of rows, and the similarity of their k-th neighbours by exhaustive search."""
    file = run.folder / "exact.npz"
    if not file.exists():
        sample = np.sort(
            np.random.default_rng(0).choice(run.items, min(SAMPLE, run.items), replace=False)
        )
        np.savez(file, sample=sample, least=_kth(run, sample))
    with np.load(file) as stored:
        return stored["sample"], stored["least"]


def _kth(run: Run, sample: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    vectors = np.load(run.vectors, mmap_mode="r")
    queries = np.asarray(vectors[sample])
    best = np.full((len(sample), 0), -np.inf, dtype=np.float32)
    for first, block in stored_vectors(run):
        similarity = queries @ block.T
        here = np.flatnonzero((sample >= first) & (sample < first + len(block)))
        similarity[here, sample[here] - first] = -np.inf
        both = np.concatenate([best, similarity], axis=1)
        k = min(K, both.shape[1] - 1)
        best = -np.partition(-both, k - 1, axis=1)[:, :k]
    return np.asarray(best.min(axis=1))


def recall_of(
    vectors: Vectors, sample: npt.NDArray[np.int64], least: Vectors, found: Found
) -> float:
    """Mean share of the k neighbours that are right.

    Parameters
    ----------
    vectors
        float32 [n, d], unit rows.
    sample, least
        int [s] rows, and float32 [s] the similarities of their k-th neighbours.
    found
        int32 [s, k], their neighbours; one as similar as the k-th is right, a row twice, or the
        item itself, counts once or not at all.
    """
    candidates = np.sort(found, axis=1)
    good = (candidates >= 0) & (candidates != sample[:, None])
    good[:, 1:] &= candidates[:, 1:] != candidates[:, :-1]
    right = 0
    for row, item in enumerate(sample):
        near = candidates[row, good[row]]
        right += int((vectors[near] @ vectors[item] >= least[row] - TIE).sum())
    return right / found.size


def _shown(recall: float) -> str:
    return f"{recall:g}".removeprefix("0") if recall < 1 else "1"
