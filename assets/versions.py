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

PLAIN = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64),
    *(pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64),
)
"""Types of which an array is one buffer."""


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
    """Hash of a step's result, so that a run which changes nothing stops the wave.

    Of a frame the Arrow buffers are hashed, in a form that does not depend on how it came about.
    """
    digest = hashlib.blake2b(digest_size=8)
    for result in results:
        if isinstance(result, pl.DataFrame):
            for column in result.iter_columns():
                digest.update(f"{column.name} {column.dtype} {len(column)}".encode())
                _digest_column(digest, column)
        elif isinstance(result, str):
            digest.update(result.encode())
        else:
            digest.update(np.ascontiguousarray(result).data)
    return dg.DataVersion(digest.hexdigest())


def _digest_column(digest: "hashlib.blake2b", column: pl.Series) -> None:
    if column.null_count():
        digest.update(np.packbits(column.is_null().to_numpy()).data)
    if column.dtype in (pl.String, pl.Binary):
        filled = column.fill_null("" if column.dtype == pl.String else b"")
        texts = filled.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        for buffer in texts.buffers()[1:]:  # where each begins, and all of them
            digest.update(memoryview(buffer or b""))
    elif isinstance(column.dtype, pl.List | pl.Array):
        lists = column if isinstance(column.dtype, pl.List) else column.arr.to_list()
        digest.update(lists.list.len().fill_null(0).to_numpy().data)
        _digest_column(digest, lists.drop_nulls().explode(empty_as_null=False))
    elif isinstance(column.dtype, pl.Struct):
        for field in column.struct.fields:
            _digest_column(digest, column.struct.field(field))
    elif isinstance(column.dtype, pl.Enum | pl.Categorical):
        _digest_column(digest, column.cast(pl.String))
    elif column.dtype == pl.Boolean:
        digest.update(column.fill_null(False).cast(pl.UInt8).to_numpy().data)
    elif column.to_physical().dtype in PLAIN:
        digest.update(column.to_physical().fill_null(0).to_numpy().data)
    else:
        buffer = io.BytesIO()
        column.to_frame().rechunk().write_ipc(buffer, compression="uncompressed")
        digest.update(buffer.getbuffer())


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
