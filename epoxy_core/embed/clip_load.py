"""Loads CLIP models through open_clip, complete or not at all."""

import textwrap
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from epoxy_core.embed.clip_models import FOLDER_CONFIG, ClipModel
from epoxy_core.embed.clip_precision import in_bfloat16
from epoxy_core.embed.clip_tower import ARCHITECTURE, packaged_tower
from epoxy_core.embed.hub import first_line, hub_commit
from epoxy_core.embed.pixels import Pixels
from epoxy_core.embed.runtime import Precision, prepare_torch, resolve_precision
from epoxy_core.errors import EpoxyError

if TYPE_CHECKING:
    import torch

_ELSEWHERE = (
    f"Fetch the model where there is a network, then give its folder (with {FOLDER_CONFIG}) as "
    "embedding.model, or its architecture and a file of weights as embedding.checkpoint; or leave "
    "both out for the packaged image tower."
)


@dataclass(frozen=True)
class LoadedClip:
    """A model on its device, in evaluation mode.

    Attributes
    ----------
    encode_image
        Batches from ``pixels.batch`` to vectors [n, dimension], not normalised.
    encode_text
        Tokens [n, context] to vectors; None without a text tower.
    tokenize
        Texts to tokens.
    """

    encode_image: "Callable[[torch.Tensor], torch.Tensor]"
    encode_text: "Callable[[torch.Tensor], torch.Tensor] | None"
    tokenize: "Callable[[Sequence[str]], torch.Tensor] | None"
    pixels: Pixels
    dimension: int


def load_clip(model: ClipModel, device: str, precision: Precision) -> LoadedClip:
    """Load the model onto its device.

    In bfloat16 means the matrix products of the image tower, see `in_bfloat16`; prompts are few.

    Raises
    ------
    EpoxyError
        If weights cannot be had, are not all there, or are those of another architecture.
    """
    prepare_torch()
    reduced = resolve_precision(precision, device) == "bfloat16"
    if model.kind == "packaged":
        return _load_packaged(device, reduced)
    return _load_open_clip(model, device, reduced)


def _load_packaged(device: str, reduced: bool) -> LoadedClip:
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = packaged_tower()
    config = open_clip.get_model_config(ARCHITECTURE)
    with torch.device("meta"):  # no memory and no random numbers for what is replaced at once
        tower = open_clip.CLIP(**config).visual
    try:
        tower.load_state_dict(load_file(path), strict=True, assign=True)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise EpoxyError(
            f"the converted image tower is damaged: {_shortened(error)}",
            where=str(path),
            remedy="Remove the file: it is made again.",
        ) from error
    tower.to(device).eval()
    return LoadedClip(
        encode_image=in_bfloat16(tower, tower) if reduced else tower,
        encode_text=None,
        tokenize=None,
        pixels=Pixels(vars(PreprocessCfg(size=tower.image_size))),
        dimension=config["embed_dim"],
    )


def _load_open_clip(model: ClipModel, device: str, reduced: bool) -> LoadedClip:
    import open_clip

    published = _published(model) if model.kind == "tag" else {}
    file = Path(model.checkpoint) if model.kind == "file" and model.checkpoint else None
    with _hub(model, published):
        try:
            loaded = open_clip.create_model(
                model.open_clip_name,
                pretrained=model.checkpoint,
                device=device,
                force_quick_gelu=bool(published.get("quick_gelu")),
                require_pretrained=True,
                weights_only=file is None or not _is_torchscript(file),
            )
            tokenize = open_clip.get_tokenizer(model.open_clip_name)
        except Exception as error:  # the loaders of a hundred architectures have no common error
            raise EpoxyError(
                f"{model.title} cannot be loaded: {_shortened(error)}",
                where="embedding.model" if file is None else str(file),
                remedy=_ELSEWHERE
                if model.kind in ("tag", "hub")
                else "The weights must be those of the architecture's image and text tower, "
                "complete, as open_clip saves them.",
            ) from error
    loaded.eval()
    encode = loaded.encode_image
    return LoadedClip(
        encode_image=in_bfloat16(loaded.visual, encode) if reduced else encode,
        encode_text=loaded.encode_text,
        tokenize=tokenize,
        pixels=Pixels(loaded.visual.preprocess_cfg),
        dimension=int(open_clip.get_model_config(model.open_clip_name)["embed_dim"]),
    )


def _published(model: ClipModel) -> dict[str, Any]:
    import open_clip

    found: dict[str, Any] = open_clip.get_pretrained_cfg(model.name, model.checkpoint)
    if not found:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(model.name)) or "none"
        raise EpoxyError(
            f"no published checkpoint {model.checkpoint!r} of {model.name}, and no such file",
            where="embedding.checkpoint",
            remedy=f"Published: {tags}. A file's path is relative to the task's folder.",
        )
    return found


@contextmanager
def _hub(model: ClipModel, published: dict[str, Any]) -> Iterator[None]:
    """Ask the hub once whether it is there; if not, only its cache is looked at."""
    from huggingface_hub import constants

    repository = (
        model.name if model.kind == "hub" else published.get("hf_hub", "").rpartition("/")[0]
    )
    if not repository or hub_commit(repository) is not None:
        yield
        return
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _is_torchscript(file: Path) -> bool:
    """OpenAI's own files are; torch reads them without trusting a pickle."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _shortened(error: Exception) -> str:
    return textwrap.shorten(str(error) or first_line(error), 300, placeholder=" …")
