"""Which CLIP model a setting means: packaged, of open_clip with a checkpoint, in a folder, hub."""

import difflib
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from epoxy_core.embed.clip_tower import CONVERSION, PACKAGED_TOWER, SOURCE
from epoxy_core.embed.models import Model, model_fingerprint
from epoxy_core.errors import EpoxyError
from epoxy_core.file_digests import cache_folder, remembered_digests

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "local-dir:"
FOLDER_CONFIG = "open_clip_config.json"
WITH_TEXT = "{model: ViT-B-16-quickgelu, checkpoint: openai}"
"""Settings of a model that reads text, too, for remedies."""

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".npz", ".npy", ".ckpt")


@dataclass(frozen=True)
class ClipModel:
    """A CLIP model's place.

    Attributes
    ----------
    kind
        ``packaged``; ``tag`` or ``file``, an architecture with a published checkpoint or a local
        one; ``folder`` or ``hub``, complete with their configuration.
    name
        The architecture, folder or ``organisation/name``.
    checkpoint
        The tag, or the file's path.
    """

    kind: Literal["packaged", "tag", "file", "folder", "hub"]
    name: str
    checkpoint: str | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        shown = Path(self.checkpoint).name if self.checkpoint else None
        return f"{self.name} ({shown})" if shown else self.name

    @property
    def open_clip_name(self) -> str:
        """The name that open_clip's factory knows it by."""
        return {"folder": FOLDER_PREFIX, "hub": HUB_PREFIX}.get(self.kind, "") + self.name


def resolve_clip(
    model: str | None, checkpoint: str | None = None, base: Path | None = None
) -> ClipModel:
    """Find the model that the settings mean. Touches neither the network nor torch.

    Parameters
    ----------
    model
        None or ``clip-vit-b-16-image``, the packaged image tower; an architecture of open_clip;
        ``hf-hub:organisation/name``; or a folder with an ``open_clip_config.json``.
    checkpoint
        Of an architecture: one of its pretrained tags, or a file of weights.
    base
        What relative paths are relative to; the working directory by default.

    Raises
    ------
    EpoxyError
        If there is no such architecture, folder or file, or a checkpoint is missing or too many.
    """
    if model is None or model == PACKAGED_TOWER:
        return _complete(ClipModel("packaged", PACKAGED_TOWER), checkpoint)
    if model.startswith(HUB_PREFIX):
        return _complete(ClipModel("hub", model.removeprefix(HUB_PREFIX)), checkpoint)
    folder = (base or Path()) / Path(model.removeprefix(FOLDER_PREFIX)).expanduser()
    if (folder / FOLDER_CONFIG).is_file():
        return _complete(ClipModel("folder", str(folder.resolve())), checkpoint)
    if folder.is_dir() or model[0] in "./~" or model.startswith(FOLDER_PREFIX):
        raise EpoxyError(
            f"no open_clip model there (no {FOLDER_CONFIG})",
            where=str(folder),
            remedy="Correct embedding.model, or give an architecture there and the file of "
            "weights as embedding.checkpoint.",
        )
    return _of_architecture(model.replace("/", "-"), checkpoint, base or Path())


def clip_fingerprint(model: ClipModel, cache: Path | None = None) -> str:
    """Identify the vectors that a model gives, without loading or fetching anything.

    Returns
    -------
    str
        Of local weights a digest of their content, wherever they stand (remembered below
        ``cache``, see `model_fingerprint`); of others their name.

    Raises
    ------
    EpoxyError
        If a local file disappeared.
    """
    if model.kind == "packaged":
        return f"{PACKAGED_TOWER}:{SOURCE.sha256[:32]}:{CONVERSION}"
    if model.kind == "folder":
        return f"open_clip:{model_fingerprint(Model(model.name, Path(model.name)), cache)}"
    if model.kind == "file":
        assert model.checkpoint is not None
        place = hashlib.blake2b(model.checkpoint.encode(), digest_size=16).hexdigest()
        remembered = (cache or cache_folder() / "models") / f"{place}.json"
        try:
            digests = remembered_digests({"checkpoint": Path(model.checkpoint)}, remembered)
        except OSError as error:
            raise EpoxyError(
                f"the checkpoint cannot be read: {error.strerror}",
                where=model.checkpoint,
                remedy="Correct embedding.checkpoint.",
            ) from error
        return f"open_clip:{model.name}:{digests['checkpoint']}"
    return f"open_clip:{model.open_clip_name}:{model.checkpoint or 'main'}"


def _complete(model: ClipModel, checkpoint: str | None) -> ClipModel:
    if checkpoint is not None:
        raise EpoxyError(
            f"{model.name} brings its own weights, and embedding.checkpoint is {checkpoint!r}",
            where="embedding",
            remedy="Remove the checkpoint, or make embedding.model the architecture it is of, "
            "such as ViT-B-16-quickgelu.",
        )
    return model


def _of_architecture(name: str, checkpoint: str | None, base: Path) -> ClipModel:
    known = _architectures()
    if name not in known:
        folded = {each.casefold(): each for each in known}
        near = difflib.get_close_matches(name.casefold(), folded, n=4, cutoff=0.5)
        meant = ", ".join(folded[each] for each in near) or "none is near it"
        raise EpoxyError(
            f"open_clip has no architecture {name!r}",
            where="embedding.model",
            remedy=f"Near it: {meant}. Or leave model out for the packaged image tower; "
            "`open_clip.list_models()` lists all.",
        )
    if checkpoint is None:
        raise EpoxyError(
            f"{name} is an architecture without weights",
            where="embedding.checkpoint",
            remedy="Give a pretrained tag (open_clip.list_pretrained() lists them), such as "
            "openai, or a file of weights.",
        )
    file = base / Path(checkpoint).expanduser()
    if file.is_file():
        return ClipModel("file", name, str(file.resolve()))
    if file.suffix.lower() in _WEIGHTS or "/" in checkpoint or "\\" in checkpoint:
        raise EpoxyError(
            "no such file of weights",
            where=str(file),
            remedy="Correct embedding.checkpoint: a path is relative to the task's folder.",
        )
    return ClipModel("tag", name, checkpoint)


def _architectures() -> list[str]:
    """Names of open_clip's configurations; importing open_clip would take seconds."""
    spec = importlib.util.find_spec("open_clip")
    places = list(spec.submodule_search_locations or []) if spec else []
    return sorted(file.stem for place in places for file in _configs(Path(place)))


def _configs(package: Path) -> list[Path]:
    return list((package / "model_configs").glob("*.json"))
