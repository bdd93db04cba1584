"""From the patterns of a task's source to its files, and to a digest of their bytes."""

import glob
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task

Format = Literal["csv", "tsv", "jsonl", "parquet", "txt"]

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".txt": "txt",
}
_BLOCK = 1 << 20


@dataclass(frozen=True, order=True)
class SourceFile:
    """A raw file: its ``name`` is relative to the task folder, with forward slashes."""

    name: str
    path: Path
    format: Format


def resolve_files(
    folder: Path, source: TextSource, setting: str = "source.paths"
) -> list[SourceFile]:
    """Find the files that ``source.paths`` stands for.

    Parameters
    ----------
    folder
        The task folder; relative paths start there.
    source
        Files, globs (``**`` descends), or folders, which stand for every ``.txt`` below them.
        Hidden files are matched by their exact name only.
    setting
        Where the user wrote the paths.

    Returns
    -------
    list of SourceFile
        Sorted by name, without repeats.

    Raises
    ------
    EpoxyError
        If a path matches nothing, cannot be read or has no known format, if a folder is given
        for a table format, or if text documents are mixed with tables.
    """
    found: dict[str, SourceFile] = {}
    for pattern in source.paths:
        for path in _expand(folder, pattern, source, setting):
            name = Path(os.path.relpath(path, folder)).as_posix()
            found[name] = SourceFile(name, path, _format(path, source))
    files = sorted(found.values())
    formats = {file.format for file in files}
    if "txt" in formats and len(formats) > 1:
        table = next(file for file in files if file.format != "txt")
        text = next(file for file in files if file.format == "txt")
        raise EpoxyError(
            f"{text.name} is one document and {table.name} is a table of them",
            where="source.paths",
            remedy="Use one of the two, or set source.format if a suffix misleads.",
        )
    if source.columns is not None and not formats <= {"csv", "tsv"}:
        raise EpoxyError(
            f"columns are named for a {sorted(formats - {'csv', 'tsv'})[0]} file",
            where="source.columns",
            remedy="Only a CSV or TSV without a header row takes it; remove it.",
        )
    return files


def source_digest(task: Task) -> str:
    """Hash of the raw files, names and bytes: the data version of the source.

    Returns
    -------
    str
        blake2b-128, 32 hexadecimal digits.

    Raises
    ------
    EpoxyError
        As `resolve_files`.
    """
    return _digest(resolve_files(task.folder, task.source))


def labels_digest(task: Task) -> str | None:
    """Hash of the separate gold label file, like `source_digest`; None if there is none."""
    source = labels_source(task)
    return _digest(resolve_files(task.folder, source, "labels.file")) if source else None


def labels_source(task: Task) -> TextSource | None:
    """Describe the separate gold label file as a source with the columns ``id`` and ``label``."""
    if task.labels is None or task.labels.file is None:
        return None
    return TextSource(
        paths=[task.labels.file], text="label", id="id", on_bad_row=task.source.on_bad_row
    )


def _expand(folder: Path, pattern: str, source: TextSource, setting: str) -> list[Path]:
    path = folder / pattern
    if path.is_dir():
        wanted = source.format or SUFFIXES.get(path.suffix.lower(), "txt")
        if wanted != "txt":
            raise EpoxyError(
                f"a folder where a {wanted} file should be",
                where=str(path),
                remedy=f"Name its files with a glob, such as {pattern.rstrip('/')}/*.{wanted}.",
            )
        inside = (Path(name) for name in glob.iglob("**", root_dir=path, recursive=True))
        matches = [path / name for name in inside if name.suffix.lower() == ".txt"]
    elif path.exists() or path.is_symlink():
        matches = [path]
    else:
        matches = [folder / name for name in glob.iglob(pattern, root_dir=folder, recursive=True)]
    matches = [match for match in matches if not match.is_dir()]
    if not matches:
        what = "no .txt file in this folder" if path.is_dir() else "no such file"
        raise EpoxyError(
            what,
            where=str(path),
            remedy=f"Put the data there, or correct {setting} (relative to task.yaml).",
        )
    for match in matches:
        if not (match.is_file() and os.access(match, os.R_OK)):
            raise EpoxyError(
                "the file cannot be read",
                where=str(match),
                remedy="Check its permissions, or the target if it is a link.",
            )
    return matches


def _format(path: Path, source: TextSource) -> Format:
    known = source.format or SUFFIXES.get(path.suffix.lower())
    if known is None:
        raise EpoxyError(
            f"unknown format: suffix {path.suffix!r}",
            where=str(path),
            remedy=f"Set source.format to one of {', '.join(get_args(Format))}.",
        )
    return known


def _digest(files: list[SourceFile]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        name = file.name.encode("utf-8", "surrogateescape")
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(file.path.stat().st_size.to_bytes(8, "little"))
        with file.path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
