"""Heads by the name that settings and files give them."""

from pathlib import Path
from typing import Any

from epoxy_core.end_model.files import read_head
from epoxy_core.end_model.head import EndModelHead
from epoxy_core.end_model.linear import LinearHead
from epoxy_core.end_model.mlp import MLPHead
from epoxy_core.errors import EpoxyError

_KINDS: dict[str, type[LinearHead] | type[MLPHead]] = {
    head.kind: head for head in (LinearHead, MLPHead)
}


def make_head(kind: str, n_classes: int, **settings: Any) -> EndModelHead:
    """Make a head that is still to be trained.

    Parameters
    ----------
    kind
        ``linear`` or ``mlp``.
    n_classes
        K.
    settings
        Of its constructor.

    Raises
    ------
    EpoxyError
        If there is no such kind.
    """
    if kind not in _KINDS:
        raise EpoxyError(
            f"no end model {kind!r}",
            where="end_model",
            remedy=f"Choose one of {', '.join(_KINDS)}.",
        )
    return _KINDS[kind](n_classes, **settings)


def load_head(path: Path, *, encoder: str | None = None) -> tuple[EndModelHead, list[str]]:
    """Read a saved head of any kind and the names of its classes; see `EndModelHead.load`."""
    saved = read_head(path, encoder=encoder)
    head = make_head(saved.kind, len(saved.classes), **saved.settings).restore(saved.tensors)
    head.scaling_ = saved.scaling
    return head, saved.classes
