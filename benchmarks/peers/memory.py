"""How far a call takes the memory of its process beyond what it held before; Linux."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

_PROCESS = Path("/proc/self")
_FROM_HERE_ON = "5"


def with_peak(call: Callable[[], Result]) -> tuple[Result, float]:
    """What the call returns, and by how many MiB its peak was above the start.

    NaN where the system does not tell.
    """
    try:
        (_PROCESS / "clear_refs").write_text(_FROM_HERE_ON)
        before = _mebibytes("VmRSS")
    except OSError:
        return call(), float("nan")
    result = call()
    return result, max(_mebibytes("VmHWM") - before, 0.0)


def _mebibytes(name: str) -> float:
    lines = (_PROCESS / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
