"""One measurement: a job in a process of its own, whose memory is watched from outside."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epoxy_core.errors import EpoxyError

EVERY = 0.02
"""Seconds between two looks at a process's memory."""

_THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class MeasuringError(Exception):
    """Why there is no figure."""


def problem(error: Exception) -> str:
    """An error in one line; those for users without their name."""
    said = " ".join(str(error).split())
    known = isinstance(error, (MeasuringError, EpoxyError))
    return said if known else f"{type(error).__name__}: {said}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A process's resident memory at a time: its own, and pages of files; MiB."""

    time: float
    own: float
    files: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What a job took.

    Attributes
    ----------
    seconds, processor
        Wall and CPU seconds of every call.
    before, peak
        MiB resident before the first call, and at most during it; None where the system does not
        tell.
    samples
        Memory during the calls; empty where the system does not tell.
    figures
        What the job says of its result.
    """

    seconds: list[float]
    processor: list[float]
    before: float | None
    peak: float | None
    samples: list[Sample]
    figures: dict[str, Any]

    def highest(self, started: float = 0.0, ended: float = float("inf")) -> Sample | None:
        """Most of each kind of memory between two times."""
        within = [sample for sample in self.samples if started <= sample.time <= ended]
        if not within:
            return None
        return Sample(
            within[0].time,
            max(sample.own for sample in within),
            max(sample.files for sample in within),
        )


def measure(command: Sequence[str], job: Mapping[str, Any], threads: int, limit: float) -> Measured:
    """Run a job.

    Parameters
    ----------
    command
        Of a program that answers jobs (``peers/inside.py``); the job's file is appended.
    job
        What the engine wants to know.
    threads
        How many threads mathematical libraries may use.
    limit
        Seconds after which it is stopped, its start included.

    Raises
    ------
    MeasuringError
        If the process ends without an answer, with what it said last.
    """
    environment = {**os.environ, **dict.fromkeys(_THREAD_SETTINGS, str(threads))}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        answer, file, log = folder / "answer.json", folder / "job.json", folder / "log"
        file.write_text(json.dumps({**job, "answer": str(answer), "threads": threads}))
        with log.open("wb") as said:
            try:
                process = subprocess.Popen(
                    [*command, str(file)], stdout=said, stderr=said, env=environment
                )
            except OSError as error:
                raise MeasuringError(f"{command[0]}: {error.strerror}") from error
            samples = _watched(process, limit)
        if process.returncode or not answer.exists():
            raise MeasuringError(_reason(process.returncode, log))
        found = json.loads(answer.read_text(encoding="utf-8"))
    during = [
        sample
        for sample in samples
        if found["started"] - EVERY <= sample.time <= found["ended"] + EVERY
    ]
    return Measured(
        found["seconds"],
        found["processor"],
        found["before"],
        found["peak"],
        during,
        found["figures"],
    )


def _watched(process: subprocess.Popen[bytes], limit: float) -> list[Sample]:
    """Wait for the end, and write down the memory meanwhile."""
    status = Path(f"/proc/{process.pid}/status")
    samples, last = [], time.monotonic() + limit
    try:
        while process.poll() is None:
            if sample := _sample(status):
                samples.append(sample)
            if time.monotonic() > last:
                raise MeasuringError(f"stopped after {limit:,.0f} s")
            time.sleep(EVERY)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return samples


def _sample(status: Path) -> Sample | None:
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = dict(line.split(":", 1) for line in lines if line.startswith("Rss"))
    if "RssAnon" not in found:
        return None
    mebibytes = {name: int(value.split()[0]) / 1024 for name, value in found.items()}
    own = mebibytes["RssAnon"] + mebibytes.get("RssShmem", 0)
    return Sample(time.time(), own, mebibytes["RssFile"])


def _reason(code: int | None, log: Path) -> str:
    if code is not None and code < 0:
        killed = signal.Signals(-code).name
        return f"killed ({killed})" + (": out of memory?" if killed == "SIGKILL" else "")
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line for line in lines if line.strip() and not line[0].isspace()]
    return said[-1] if said else f"ended with {code} and said nothing"
