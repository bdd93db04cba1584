"""Files of lexical vectors and of what makes them: safetensors, replaced whole."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError


def write_tensors(
    path: Path, tensors: Mapping[str, npt.NDArray[Any]], about: Mapping[str, str]
) -> None:
    """Write the file beside the old one and swap it in.

    Raises
    ------
    EpoxyError
        If it cannot be written; what was there before is there still.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
        save_file(arrays, part, dict(about))
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            part.unlink()
        raise EpoxyError(
            f"cannot be written ({error})",
            where=str(path),
            remedy="Make room there, or point EPOXY_HOME at a folder of yours.",
        ) from error


def read_tensors(
    path: Path, names: Sequence[str]
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Read some of the arrays and the metadata; the file is mapped, the rest of it not read.

    Raises
    ------
    EpoxyError
        If there is no such file, or it is damaged or another.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise EpoxyError(
            "no lexical vectors yet", where=str(path), remedy="`epoxy run TASK` makes them."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise EpoxyError(
            f"not a file of lexical vectors: {error}",
            where=str(path),
            remedy="Delete it; `epoxy run TASK` makes it again.",
        ) from error
