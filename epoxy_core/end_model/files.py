"""Saved heads: a safetensors file and its model card, published together."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.calibration import Scaling
from epoxy_core.end_model.card import ModelCard, render_card
from epoxy_core.errors import EpoxyError


@dataclass(frozen=True)
class SavedHead:
    """Content of a saved head's file."""

    kind: str
    classes: list[str]
    settings: dict[str, Any]
    tensors: dict[str, npt.NDArray[Any]]
    scaling: Scaling


def card_path(path: Path) -> Path:
    """Where the model card of a saved head is: beside it, ending in ``.md``."""
    return path.with_suffix(".md")


def write_head(
    path: Path,
    *,
    kind: str,
    settings: Mapping[str, Any],
    tensors: Mapping[str, npt.NDArray[Any]],
    scaling: Scaling,
    classes: Sequence[str],
    encoder: str,
    card: ModelCard,
) -> None:
    """Write the file and the card; see `EndModelHead.save`.

    Raises
    ------
    EpoxyError
        If they cannot be written; what was there before is there still.
    """
    from safetensors.numpy import save

    metadata = {
        "kind": kind,
        "classes": json.dumps(list(classes), ensure_ascii=False),
        "encoder": encoder,
        "settings": json.dumps(settings),
        "scaling": json.dumps({"temperature": scaling.temperature, "bias": scaling.bias}),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    content = save(arrays, metadata)
    text = render_card(
        card,
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        kind=kind,
        settings=settings,
        classes=classes,
        encoder=encoder,
        temperature=scaling.temperature,
    )
    try:
        _publish({card_path(path): text.encode(), path: content})
    except OSError as error:
        raise EpoxyError(
            f"cannot be written ({error})",
            where=str(path.parent),
            remedy="Make room there, or point EPOXY_HOME at a folder of yours.",
        ) from error


def read_head(path: Path, *, encoder: str | None, kind: str | None = None) -> SavedHead:
    """Read a saved head's file; see `EndModelHead.load`.

    Parameters
    ----------
    path
        The safetensors file.
    encoder
        If given, the fingerprint of the encoder in use.
    kind
        If given, the kind of head wanted.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            scaling = json.loads(metadata["scaling"])
            saved = SavedHead(
                kind=metadata["kind"],
                classes=json.loads(metadata["classes"]),
                settings=json.loads(metadata["settings"]),
                tensors={name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
                scaling=Scaling(scaling["temperature"], tuple(scaling["bias"])),
            )
            trained_on = metadata["encoder"]
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise EpoxyError(
            f"not a saved end model: {error}",
            where=str(path),
            remedy="Materialise the task's end_model asset again.",
        ) from error
    if encoder is not None and trained_on != encoder:
        raise EpoxyError(
            f"trained on embeddings of {trained_on}, not of {encoder}",
            where=str(path),
            remedy="Load it with the encoder it was trained on, or train it again.",
        )
    if kind is not None and saved.kind != kind:
        raise EpoxyError(
            f"a head of kind {saved.kind}, not {kind}",
            where=str(path),
            remedy="Load it with load_head, which takes every kind.",
        )
    return saved


def _publish(files: Mapping[Path, bytes]) -> None:
    """Swap all files in, or put the old ones back."""
    parts = {path: path.with_name(path.name + ".part") for path in files}
    old: dict[Path, bytes | None] = {}
    try:
        for path, content in files.items():
            parts[path].write_bytes(content)
        for path, part in parts.items():
            before = path.read_bytes() if path.is_file() else None
            os.replace(part, path)
            old[path] = before
    except OSError:
        for path, before in old.items():
            if before is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(before)
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise
