"""Calls of labeling functions, shared out to processes that load the task's file themselves.

No fork: this process has threads. No multiprocessing: it would run the main module again, and
needs functions that can be pickled. A process that is done waits for the next share.
"""

import atexit
import contextlib
import math
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any, cast

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.calls import Answers
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.threads import thread_count

VARIABLE = "EPOXY_LF_PROCESSES"
"""Environment variable: how many processes may call labeling functions; 1: only this one."""

_MOST = 8
_SECONDS_EACH = 1.0
_BOOT = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from epoxy_core.labeling.worker import main; main()"
)

Call = Callable[[Sequence[Callable[[Any], Any]], int, int], list[Answers]]
Keep = Callable[[int, Sequence[Answers]], None]


def processes(seconds: float) -> int:
    """How many processes, this one included, may share so much work.

    Raises
    ------
    EpoxyError
        If the environment variable is no number of processes.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not (given.isdecimal() and int(given)):
        raise EpoxyError(
            f"{given!r} processes", where=VARIABLE, remedy="Set it to 1 or more, or not at all."
        )
    most = int(given) if given else min(_MOST, thread_count())
    return max(1, min(most, math.ceil(seconds / _SECONDS_EACH)))


@dataclass(frozen=True)
class Job:
    """What a process has to know to call labeling functions.

    Attributes
    ----------
    folder, file
        The task folder, and its file of labeling functions.
    code_versions
        Of the functions, by name: others than these are not called.
    classes
        Class names in order.
    columns
        Names of the items' columns.
    """

    folder: Path
    file: Path
    code_versions: dict[str, str]
    classes: list[str]
    columns: list[str]


@dataclass(eq=False)
class Share:
    """Rows from ``first`` on to be voted on, so many at a time.

    Attributes
    ----------
    lfs, items, classes
        As in `call_per_item`.
    first, size
        Row to begin with, and how many rows are given out at once.
    """

    lfs: Sequence[LabelingFunction]
    items: pl.DataFrame
    classes: Sequence[str]
    first: int
    size: int
    stopped: bool = False
    problem: Exception | None = None
    _lock: Lock = field(default_factory=Lock)
    _written: dict[str, Path] = field(default_factory=dict)

    @property
    def possible(self) -> bool:
        """Whether all functions are from one file that can be loaded again."""
        files = {lf.loaded_from for lf in self.lfs}
        return None not in files and len(files) == 1 and all(lf.code_version for lf in self.lfs)

    @property
    def job(self) -> Job:
        """What a process has to know; only if ``possible``."""
        file = self.lfs[0].loaded_from
        assert file is not None
        versions = {lf.name: lf.code_version for lf in self.lfs}
        return Job(
            self.lfs[0].folder.resolve(), file, versions, list(self.classes), self.items.columns
        )

    def rows(self) -> Iterator[tuple[int, int]]:
        """First row and number of rows, until all are taken by someone."""
        while True:
            with self._lock:
                first, n = self.first, min(self.size, self.items.height - self.first)
                if n <= 0 or self.stopped:
                    return
                self.first += n
            yield first, n

    def column(self, name: str, folder: Path) -> Path:
        """A file of a column, written when it is first asked for."""
        with self._lock:
            if name not in self._written:
                file = folder / f"{len(self._written)}.arrow"
                self.items.select(pl.col(name).alias("column")).write_ipc(
                    file, compression="uncompressed"
                )
                self._written[name] = file
            return self._written[name]


class Worker:
    """A process that calls labeling functions."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
        )
        self.ready = False
        self.dismissed = False
        with contextlib.suppress(OSError):  # if it is dead already, that will be seen
            self.send(sys.path)

    def send(self, message: object) -> None:
        """Send a message; OSError if the process is dead."""
        stream = cast(IO[bytes], self._process.stdin)
        pickle.dump(message, stream)
        stream.flush()

    def receive(self) -> Any:
        """Wait for a message; EOFError if the process is dead."""
        return pickle.load(cast(IO[bytes], self._process.stdout))

    def kill(self) -> int:
        """End it now; its exit code (negative: the signal)."""
        self._process.kill()
        return self._process.wait()

    def close(self) -> None:
        """Close its pipes; it ends if it has not yet."""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                cast(IO[bytes], stream).close()

    def died(self) -> int:
        """Exit code of a process that closed its pipe."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(5)
        return self.kill()


_idle: list[Worker] = []
_idle_lock = Lock()


def share_out(share: Share, processes: int, call: Call, keep: Keep) -> None:
    """Have all rows voted on, by this process and others, in any order.

    Parameters
    ----------
    share
        What is left to do.
    processes
        How many, this one included.
    call
        Does some rows here.
    keep
        Takes the answers to some rows; called from several threads, one at a time for each row.

    Raises
    ------
    EpoxyError
        If a process ends while it calls labeling functions.
    """
    functions = [lf.function for lf in share.lfs]
    workers = [_take() for _ in range(processes - 1)]
    with tempfile.TemporaryDirectory(prefix="epoxy_") as folder:
        threads = [
            Thread(target=_serve, args=(worker, share, Path(folder), keep), daemon=True)
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        try:
            for first, n in share.rows():
                keep(first, call(functions, first, n))
            _dismiss([worker for worker in workers if not worker.ready])  # they come too late
            for thread in threads:
                thread.join()
        except BaseException:
            share.stopped = True
            _dismiss(workers)
            for thread in threads:
                thread.join()
            raise
    if share.problem is not None:
        raise share.problem


def _serve(worker: Worker, share: Share, folder: Path, keep: Keep) -> None:
    """Give rows to a process until there are none, and let it rest."""
    rows = None
    try:
        worker.send(share.job)
        worker.ready = worker.receive()
        if not worker.ready:  # it cannot load these functions as they are here
            return
        for rows in share.rows():
            worker.send(rows)
            while isinstance(answer := worker.receive(), str):
                worker.send(share.column(answer, folder))
            keep(rows[0], answer)
        with _idle_lock:
            if not worker.dismissed:
                _idle.append(worker)
    except (OSError, EOFError, pickle.UnpicklingError):
        code = worker.died()
        if rows is not None and not share.stopped:
            share.problem = _ended(share, rows, code)
            share.stopped = True
    except Exception as error:
        share.problem, share.stopped = error, True
    finally:
        if worker not in _idle:
            worker.close()


def _dismiss(workers: Sequence[Worker]) -> None:
    with _idle_lock:
        for worker in workers:
            if worker not in _idle:
                worker.dismissed = True
                worker.kill()


def _ended(share: Share, rows: tuple[int, int], code: int) -> EpoxyError:
    ids = share.items["item_id"]
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return EpoxyError(
        f"a process that called {', '.join(lf.name for lf in share.lfs)} was ended {how}, on one "
        f"of the items {ids[rows[0]]!r} to {ids[rows[0] + rows[1] - 1]!r}",
        where=str(share.lfs[0].loaded_from),
        remedy="Signal 9 is most often a lack of memory. "
        f"{VARIABLE}=1 calls labeling functions in one process only.",
    )


def _take() -> Worker:
    with _idle_lock:
        if _idle:
            worker = _idle.pop()
            worker.ready = False
            return worker
    return Worker()


@atexit.register
def _end_all() -> None:
    while _idle:
        worker = _idle.pop()
        worker.kill()
        worker.close()
