"""Work on many rows, shared out to threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def thread_count() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def by_rows(n: int, work: Callable[[int, int], object], least: int = 65_536) -> None:
    """Call ``work(first, last)`` for ranges that make up ``range(n)``, one to a thread.

    Parameters
    ----------
    n
        Number of rows.
    work
        Handles the rows from ``first`` up to ``last``; releases the GIL where it computes, as
        NumPy and compiled kernels do, and writes only what belongs to these rows.
    least
        Rows that are worth a thread.
    """
    threads = max(1, min(thread_count(), n // least))
    bounds = [n * part // threads for part in range(threads + 1)]
    if threads == 1:
        work(0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))
