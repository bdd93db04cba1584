"""Inside the process of one measurement: run a job, say how long it took and in what memory.

The standard library alone, so that the product and its peers are measured by the same lines. A job
is a JSON file with the name of an ``engine``, what that wants to know, how often to ``repeat`` it
at most, and where the ``answer`` goes.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONG = 2.0
"""Seconds after which a call is not repeated."""

_PROCESS = Path("/proc/self")
_FORGET_THE_PEAK = "5"

Job = dict[str, Any]


def _nothing(result: Any) -> dict[str, Any]:
    return {}


@dataclass
class Work:
    """What is measured, made ready: inputs read, kernels compiled.

    Attributes
    ----------
    call
        This is measured.
    keep
        Stores what it returned and gives figures of it; not measured.
    """

    call: Callable[[], Any]
    keep: Callable[[Any], dict[str, Any]] = _nothing


Engine = Callable[[Job], Work]


def answer(engines: Mapping[str, Engine], job_file: str) -> None:
    """Do the job of a file.

    The answer has ``seconds`` and ``processor`` (CPU seconds) of every call; ``started`` and
    ``ended`` by the clock; ``before`` and ``peak``, MiB resident before and at most during the
    first call, null where the system does not tell; and ``figures``.
    """
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    work = engines[job["engine"]](job)
    gc.collect()
    before = _mebibytes("VmRSS")
    if before is not None:
        (_PROCESS / "clear_refs").write_text(_FORGET_THE_PEAK)
    seconds: list[float] = []
    processor: list[float] = []
    peak, started = None, time.time()
    while len(seconds) < job.get("repeat", 1) and sum(seconds) < LONG:
        result = None
        wall, worked = time.perf_counter(), time.process_time()
        result = work.call()
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - worked)
        if peak is None:
            peak = _mebibytes("VmHWM") or _highest()
    reply = {
        "seconds": seconds,
        "processor": processor,
        "started": started,
        "ended": time.time(),
        "before": before,
        "peak": peak,
        "figures": work.keep(result),
    }
    Path(job["answer"]).write_text(json.dumps(reply), encoding="utf-8")


def _mebibytes(name: str) -> float | None:
    try:
        lines = (_PROCESS / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def _highest() -> float:
    """Peak since the process began; macOS counts in bytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
