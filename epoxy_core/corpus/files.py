"""From the patterns of a text source to its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from epoxy_core.corpus.paths import RawFile, files_of, refuse_unreadable
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


@dataclass(frozen=True, order=True)
class SourceFile(RawFile):
    """A raw file of text, and how it is read."""

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
        _refuse_folder_of_tables(folder, pattern, source)
        named = files_of(folder, pattern, setting, _is_document, ".txt file")
        refuse_unreadable(named)
        for file in named:
            found[file.name] = SourceFile(file.name, file.path, _format(file.path, source))
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


def label_files(task: Task) -> list[SourceFile]:
    """The files of ``labels.file``; none if the task has no separate gold labels.

    Raises
    ------
    EpoxyError
        As `resolve_files`.
    """
    source = labels_source(task)
    return resolve_files(task.folder, source, "labels.file") if source else []


def labels_source(task: Task) -> TextSource | None:
    """Describe the separate gold label file as a source with the columns ``id`` and ``label``."""
    if task.labels is None or task.labels.file is None:
        return None
    bad = task.text.on_bad_row if task.text else "error"
    return TextSource(paths=[task.labels.file], text="label", id="id", on_bad_row=bad)


def _is_document(path: Path) -> bool:
    return path.suffix.lower() == ".txt"


def _refuse_folder_of_tables(folder: Path, pattern: str, source: TextSource) -> None:
    path = folder / pattern
    wanted = source.format or SUFFIXES.get(path.suffix.lower(), "txt")
    if path.is_dir() and wanted != "txt":
        raise EpoxyError(
            f"a folder where a {wanted} file should be",
            where=str(path),
            remedy=f"Name its files with a glob, such as {pattern.rstrip('/')}/*.{wanted}.",
        )


def _format(path: Path, source: TextSource) -> Format:
    known = source.format or SUFFIXES.get(path.suffix.lower())
    if known is None:
        raise EpoxyError(
            f"unknown format: suffix {path.suffix!r}",
            where=str(path),
            remedy=f"Set source.format to one of {', '.join(get_args(Format))}.",
        )
    return known
