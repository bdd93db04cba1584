"""Code versions of the built-in assets, and data versions of their results."""

import ast
import hashlib
import io
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import dagster as dg
import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]


def code_version(step: str, *parts: str, settings: object = None) -> str:
    """Hash of what a step computes with: its modules' syntax trees and its settings.

    Parameters
    ----------
    step
        The step's module, as ``__file__``.
    parts
        Rooms or modules of ``epoxy_core`` whose code the result depends on.
    settings
        Pydantic sections or plain values that change the result.

    Notes
    -----
    Dagster leaves run config out of code and data versions, so settings belong here. Comments,
    docstrings and formatting do not count.
    """
    digest = hashlib.blake2b(digest_size=6)
    for path in (Path(step), *(ROOT / "epoxy_core" / part for part in parts)):
        digest.update(_code(path).encode())
    digest.update(json.dumps(settings, default=_plain, sort_keys=True).encode())
    return digest.hexdigest()


def data_version(*results: pl.DataFrame | npt.NDArray[np.generic] | str) -> dg.DataVersion:
    """Hash of a step's result, so that a run which changes nothing stops the wave."""
    digest = hashlib.blake2b(digest_size=8)
    for result in results:
        if isinstance(result, pl.DataFrame):
            buffer = io.BytesIO()
            result.rechunk().write_ipc(buffer, compression="uncompressed")
            digest.update(buffer.getbuffer())
        elif isinstance(result, str):
            digest.update(result.encode())
        else:
            digest.update(np.ascontiguousarray(result).data)
    return dg.DataVersion(digest.hexdigest())


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be part of a code version")


@cache
def _code(path: Path) -> str:
    files: Iterable[Path] = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return "\n".join(_syntax_tree(file) for file in files)


def _syntax_tree(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
