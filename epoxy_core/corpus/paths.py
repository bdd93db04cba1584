"""From a pattern of ``task.yaml`` to the files it stands for, whatever they hold."""

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from epoxy_core.errors import EpoxyError


@dataclass(frozen=True, order=True)
class RawFile:
    """A raw file: its ``name`` is relative to the task folder, with forward slashes."""

    name: str
    path: Path


def files_of(
    folder: Path,
    pattern: str,
    setting: str,
    in_folder: Callable[[Path], bool],
    kind: str,
    in_glob: Callable[[Path], bool] = lambda path: True,
) -> list[RawFile]:
    """Files that one entry of ``source.paths`` stands for.

    Parameters
    ----------
    folder
        The task folder; relative paths start there.
    pattern
        A file, a glob (``**`` descends), or a folder. Hidden files are matched by their exact
        name only; a name with glob characters is taken literally where it exists.
    setting
        Where the user wrote it.
    in_folder, in_glob
        Which files below a folder, and of those that a glob matches, are meant.
    kind
        What those of a folder are, for an error.

    Raises
    ------
    EpoxyError
        If it matches nothing.
    """
    path = folder / pattern
    if path.is_dir():
        inside = (path / name for name in glob.iglob("**", root_dir=path, recursive=True))
        matches = [match for match in inside if in_folder(match)]
    elif path.exists() or path.is_symlink():
        matches = [path]
    else:
        globbed = (folder / name for name in glob.iglob(pattern, root_dir=folder, recursive=True))
        matches = [match for match in globbed if in_glob(match)]
    matches = [match for match in matches if not match.is_dir()]
    if not matches:
        raise EpoxyError(
            f"no {kind} in this folder" if path.is_dir() else "no such file",
            where=str(path),
            remedy=f"Put the data there, or correct {setting} (relative to task.yaml).",
        )
    return [RawFile(Path(os.path.relpath(match, folder)).as_posix(), match) for match in matches]


def refuse_unreadable(files: Sequence[RawFile]) -> None:
    """Stop at a file that this process may not read, or a link to nothing.

    Raises
    ------
    EpoxyError
        Naming the file.
    """
    for file in files:
        if not (file.path.is_file() and os.access(file.path, os.R_OK)):
            raise EpoxyError(
                "the file cannot be read",
                where=str(file.path),
                remedy="Check its permissions, or the target if it is a link.",
            )
