"""What matrix products this machine reaches, number format by number format.

Tiles of embeddings' shape that stay in the cache, in bursts; the best burst counts. Threads share
a product, or have one each, whichever is faster.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import Run
from benchmarks.speed.peers.inside import Engine, Job, Work

STAGE = "ceiling"
DEPTH = 384
TILES = ((128, 1024), (256, 1024), (256, 4096), (512, 2048), (1024, 1024))
BURST, BURSTS = 0.1, 4

Product = Callable[[int, int], Callable[[], Any]]
"""Of tiles of so many rows and columns, made ready."""


def numpy_float32(job: Job) -> Work:
    """NumPy, with the kernels that ``epoxy_core.cpu`` chose."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    def product(rows: int, columns: int) -> Callable[[], Any]:
        left = np.ones((rows, DEPTH), dtype=np.float32)
        right = np.ones((columns, DEPTH), dtype=np.float32)
        found = np.empty((rows, columns), dtype=np.float32)
        return lambda: np.matmul(left, right.T, out=found)

    def call() -> float:
        shared = _fastest(product, 1)
        with threadpool_limits(1):
            return max(shared, _fastest(product, job["threads"]))

    return Work(call, lambda best: {"gflops": best})


def torch_float32(job: Job) -> Work:
    """torch, float32."""
    return _torch(job, "float32")


def torch_bfloat16(job: Job) -> Work:
    """torch, bfloat16."""
    return _torch(job, "bfloat16")


def torch_int8(job: Job) -> Work:
    """torch, int8 with sums in int32."""
    return _torch(job, "int8")


ENGINES: dict[str, Engine] = {
    "numpy_float32": numpy_float32,
    "torch_float32": torch_float32,
    "torch_bfloat16": torch_bfloat16,
    "torch_int8": torch_int8,
}


def stage(run: Run) -> list[Record]:
    """Measure all formats."""
    contenders = [
        Contender("float32, NumPy", "numpy_float32", repeat=1),
        Contender("float32, torch", "torch_float32", repeat=1),
        Contender("bfloat16, torch", "torch_bfloat16", repeat=1),
        Contender("int8, torch", "torch_int8", repeat=1),
    ]
    return contest(run, STAGE, contenders, lambda _: {})


def _torch(job: Job, format_name: str) -> Work:
    import torch

    kind = getattr(torch, format_name)

    def product(rows: int, columns: int) -> Callable[[], Any]:
        left = torch.ones((rows, DEPTH), dtype=kind)
        right = torch.ones((columns, DEPTH), dtype=kind).T
        if kind == torch.int8:
            return lambda: torch._int_mm(left, right)
        found = torch.empty((rows, columns), dtype=kind)
        return lambda: torch.mm(left, right, out=found)

    def call() -> float:
        torch.set_num_threads(job["threads"])
        shared = _fastest(product, 1)
        torch.set_num_threads(1)
        return max(shared, _fastest(product, job["threads"]))

    return Work(call, lambda best: {"gflops": best})


def _fastest(product: Product, threads: int) -> float:
    """GFLOP/s of the best burst of all tiles, so many products at a time."""
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for rows, columns in TILES:
            ready = [product(rows, columns) for _ in range(threads)]
            for _ in range(BURSTS):
                start = time.perf_counter()
                times = sum(pool.map(_burst, ready))
                taken = time.perf_counter() - start
                best = max(best, 2e-9 * rows * columns * DEPTH * times / taken)
    return best


def _burst(multiply: Callable[[], Any]) -> int:
    """Multiply for a while; how often that was."""
    times, until = 0, time.perf_counter() + BURST
    while time.perf_counter() < until:
        multiply()
        times += 1
    return times
