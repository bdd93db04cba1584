"""Code that is not the task's: it counts by name and version."""

import functools
import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from epoxy_core.labeling.modules import TaskSource

_OWN = tuple(
    f"epoxy_core.labeling.{name}"
    for name in ("expressions", "images", "spans", "tables", "vectors", "windows")
)
"""What decides the votes of ready-made heuristics and of rules over time."""


def digest(tag: str, *parts: bytes) -> bytes:
    """Digest of a tag and any number of parts, told apart by their lengths."""
    state = hashlib.blake2b(tag.encode(), digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


@functools.cache
def version(package: str) -> str | None:
    """Look up the version of the distribution that holds a top-level package, if there is one."""
    if package in sys.stdlib_module_names:
        return f"python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        owners = importlib.metadata.packages_distributions().get(package)
    return importlib.metadata.version(owners[0]) if owners else None


def followed(module: str | None, namespace: Mapping[str, Any]) -> bool:
    """Tell whether code counts by its source: the task's, and code that has no version."""
    if isinstance(namespace.get("__loader__"), TaskSource) or module in _OWN:
        return True
    top = (module or "builtins").partition(".")[0]
    return top != "epoxy_core" and version(top) is None


def foreign(value: Any) -> bytes:
    """Digest of a function or class that is not followed."""
    module = value.__module__ or "builtins"
    return digest("foreign", foreign_module(module), value.__qualname__.encode())


def foreign_module(name: str) -> bytes:
    """Digest of a module that is not followed: its name and version (or file, without one)."""
    top = name.partition(".")[0]
    if top in ("builtins", "epoxy_core"):
        return digest("module", name.encode())
    found = version(top)
    if found is None:
        spec = importlib.util.find_spec(top)
        origin = Path(spec.origin) if spec and spec.origin else Path()
        found = hashlib.blake2b(origin.read_bytes()).hexdigest() if origin.is_file() else "unknown"
    return digest("module", name.encode(), found.encode())
