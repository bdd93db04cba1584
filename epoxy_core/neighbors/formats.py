"""Number formats in which a first pass multiplies vectors; `similarity` has the last word."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Vectors = npt.NDArray[np.float32]

_SPREAD = 0.9999
_SAMPLE = 4096  # rows


@dataclass(frozen=True, slots=True)
class Format:
    """How vectors are held, and multiplied.

    Attributes
    ----------
    name
        ``float32``, ``bfloat16`` or ``int8``.
    encode
        float32 [n, d] → C-contiguous [n, d]: float32, uint16 (the bits of bfloat16) or int8.
    multiply
        Writes ``left @ right.T`` of two encoded arrays [a, d] and [b, d] to an array [a, b].
    product
        The type of products that ``multiply`` writes: float32, uint16 or int32. Products of int8
        are to scale; those of one set of vectors compare.
    """

    name: str
    encode: Callable[[Vectors], Array]
    multiply: Callable[[Array, Array, Array], object]
    product: npt.DTypeLike

    def scratch(self, side: int) -> Array:
        """Memory for tiles of up to ``side`` × ``side`` products."""
        return np.empty(side * side, dtype=self.product)

    def tile(self, left: Array, right: Array, scratch: Array) -> Array:
        """Multiply into the scratch memory; the next call overwrites it."""
        shape = len(left), len(right)
        out = scratch[: shape[0] * shape[1]].reshape(shape)
        self.multiply(left, right, out)
        return out


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let matrix products run in the thread that asks for them, and put things back."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def native(name: str) -> bool:
    """Whether this CPU multiplies numbers of the format itself."""
    import torch

    able = torch.cpu.get_capabilities()
    needed = {
        "float32": ("architecture",),
        "bfloat16": ("avx512_bf16", "amx_bf16"),
        "int8": ("avx512_vnni", "avx_vnni", "amx_int8"),
    }
    return any(able.get(instruction) for instruction in needed[name])


def _bits_of_bfloat16(vectors: Vectors) -> Array:
    import torch

    bits: Array = torch.from_numpy(vectors).to(torch.bfloat16).view(torch.uint16).numpy()
    return bits


def bfloat16_error(vectors: Vectors, bits: Array) -> npt.NDArray[np.float32]:
    """How far each vector is from its rounded form, float32 [n]."""
    error = np.empty(len(vectors), dtype=np.float32)
    for first in range(0, len(vectors), _SAMPLE):
        part = slice(first, first + _SAMPLE)
        rounded = (bits[part].astype(np.uint32) << 16).view(np.float32)
        np.subtract(rounded, vectors[part], out=rounded)
        error[part] = np.sqrt(np.einsum("ij,ij->i", rounded, rounded))
    return error


def _multiply_bfloat16(left: Array, right: Array, out: Array) -> None:
    import torch

    a, b, c = (torch.from_numpy(part).view(torch.bfloat16) for part in (left, right, out))
    torch.mm(a, b.T, out=c)


def _as_int8(vectors: Vectors) -> Array:
    """Round on one symmetric scale; the few largest components are cut off."""
    sample = np.abs(vectors[:: max(1, len(vectors) // _SAMPLE)])
    largest = float(np.quantile(sample, _SPREAD)) if sample.size else 0.0
    scale = np.float32(127 / (largest or 1.0))
    out = np.empty(vectors.shape, dtype=np.int8)
    for first in range(0, len(vectors), _SAMPLE):
        part = vectors[first : first + _SAMPLE] * scale
        np.clip(np.rint(part, out=part), -127, 127, out=part)
        out[first : first + _SAMPLE] = part
    return out


def _multiply_int8(left: Array, right: Array, out: Array) -> None:
    import torch

    a, b, c = (torch.from_numpy(part) for part in (left, right, out))
    torch._int_mm(a, b.T, out=c)


FLOAT32 = Format(
    "float32", lambda vectors: vectors, lambda a, b, c: np.matmul(a, b.T, out=c), np.float32
)
BFLOAT16 = Format("bfloat16", _bits_of_bfloat16, _multiply_bfloat16, np.uint16)
INT8 = Format("int8", _as_int8, _multiply_int8, np.int32)
