"""What the figures were measured on and with."""

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path

PACKAGES = ("epoxy-pipelines", "numpy", "scikit-learn", "scipy", "sentence-transformers", "torch")
_EXTENSIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "BF16",
    "avx512_vnni": "VNNI",
    "amx_tile": "AMX",
}


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Cores and instruction sets, where Linux names them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    described = f"{cores} cores, {platform.machine()}"
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return described
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    known = [name for flag, name in _EXTENSIONS.items() if flag in flags]
    return ", ".join([described, *known])


def versions(peers: Mapping[str, str]) -> str:
    """Of the product's environment and of the peers'."""
    ours = {name: importlib.metadata.version(name) for name in PACKAGES}
    return f"Python {platform.python_version()}; {_listed(ours)}; peers: {_listed(peers)}"


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
