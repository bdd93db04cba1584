"""Prepares torch: the torchvision repair, threads, device and precision."""

import importlib.util
import math
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from epoxy_core.errors import EpoxyError

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "float32", "bfloat16"]

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_TORCHVISION_OPERATORS = ("nms", "qnms")


@cache
def prepare_torch() -> None:
    """Make torch ready to be used, once per process; call it before importing any encoder."""
    import torch

    _repair_torchvision()
    quota = _cpu_quota()
    if quota is not None and "OMP_NUM_THREADS" not in os.environ:
        # torch counts the host's cores; more threads than a container may run starve each other.
        torch.set_num_threads(max(1, min(torch.get_num_threads(), quota)))


def default_device() -> str:
    """``cuda`` where there is a usable GPU, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_precision(precision: Precision, device: str) -> Literal["float32", "bfloat16"]:
    """Choose the number format of the matrix products.

    ``auto`` is bfloat16 where the hardware multiplies it natively (elsewhere it is emulated,
    slower than float32), else float32.

    Raises
    ------
    EpoxyError
        If ``precision`` is not a precision.
    """
    import torch

    if precision in ("float32", "bfloat16"):
        return precision
    if precision != "auto":
        raise EpoxyError(
            f"no such precision: {precision!r}",
            where="embedding.precision",
            remedy="Use auto, float32 or bfloat16.",
        )
    if device.startswith("cuda"):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        abilities = torch.cpu.get_capabilities()
        native = any(abilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return "bfloat16" if native else "float32"


def _repair_torchvision() -> None:
    """Let ``import torchvision`` succeed where its compiled operators do not load.

    PyPI's torchvision for Linux is built for CUDA. Beside a CPU build of torch its library does
    not load, its import fails on the missing schema of ``nms``, and transformers, which imports
    it, fails too. The encoders use none of its operators, so declaring them is enough.
    """
    if sys.platform != "linux" or "torchvision" in sys.modules:
        return
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    import torch

    for library in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return
    global _declared
    _declared = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in _TORCHVISION_OPERATORS:
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        _declared.define(schema)  # type: ignore[no-untyped-call]


_declared: "torch.library.Library | None" = None  # torch forgets the schemas with the object


def _cpu_quota() -> int | None:
    """Read how many CPUs a container may use (cgroup v2); None where nothing limits them."""
    try:
        quota, period = _CPU_QUOTA.read_text().split()[:2]
        return None if quota == "max" else math.ceil(int(quota) / int(period))
    except (OSError, ValueError):
        return None
