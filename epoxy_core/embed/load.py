"""Loads a sentence-transformers model; a folder never touches the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from epoxy_core.embed.hub import first_line, hub_commit
from epoxy_core.embed.models import PACKAGED, Model
from epoxy_core.embed.runtime import Precision, prepare_torch
from epoxy_core.errors import EpoxyError


def load_sentence_transformer(model: Model, device: str, precision: Precision) -> Any:
    """Load the model onto its device, in evaluation mode.

    Raises
    ------
    EpoxyError
        If the folder is damaged, the hub has no such model, or the hub cannot be reached and
        the model is not in its cache.
    """
    prepare_torch()
    loaded = _from_folder(model, device) if model.folder else _from_hub(model, device)
    return (loaded.float() if precision == "float32" else loaded).eval()


def _from_folder(model: Model, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            return SentenceTransformer(str(model.folder), device=device, local_files_only=True)
    except Exception as error:  # the loaders of a hundred architectures have no common error
        raise EpoxyError(
            f"the model cannot be loaded: {first_line(error)}",
            where=str(model.folder),
            remedy="The folder must be what SentenceTransformer.save() wrote, complete.",
        ) from error


def _from_hub(model: Model, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    commit = hub_commit(model.name, model.revision)
    reached = commit is not None
    try:
        with _quiet():
            return SentenceTransformer(
                model.name,
                device=device,
                revision=commit or model.revision,
                local_files_only=not reached,
            )
    except Exception as error:
        problem = "cannot be loaded from the hub" if reached else "needs the model hub, unreachable"
        raise EpoxyError(
            f"{model.name} {problem}: {first_line(error)}",
            where="embedding.model",
            remedy="Give a folder that holds the model (SentenceTransformer.save() on a machine "
            f"with a network), or {', '.join(PACKAGED)}, which is installed with this package.",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bar of loading weights, which would end up in every run's log."""
    from transformers.utils import logging as transformers_logging

    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
