"""The right matrix kernels for the CPU, chosen before NumPy is loaded."""

import os
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "OPENBLAS_CORETYPE"
NEEDED = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}


def choose_kernels(
    environment: MutableMapping[str, str] = os.environ, cpuinfo: Path = Path("/proc/cpuinfo")
) -> None:
    """Let NumPy's OpenBLAS use AVX-512 on AMD CPUs that have it.

    It takes them for a Haswell, at half the speed (``benchmarks/results/relabel.md``). A choice
    of the user's stays; without effect once NumPy is loaded.

    Parameters
    ----------
    environment
        Where the choice is made.
    cpuinfo
        Linux's description of the CPU; elsewhere nothing is chosen.
    """
    if VARIABLE in environment:
        return
    try:
        lines = cpuinfo.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    about = {
        name.strip(): value for name, _, value in (line.partition(":") for line in lines) if value
    }
    amd = about.get("vendor_id", "").strip() == "AuthenticAMD"
    if amd and set(about.get("flags", "").split()) >= NEEDED:
        environment[VARIABLE] = "SKYLAKEX"
