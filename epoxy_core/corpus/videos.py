"""From the patterns of a video source to its files, each known by its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from epoxy_core.corpus.paths import RawFile, files_of
from epoxy_core.file_digests import cache_folder, remembered_digests
from epoxy_core.source_settings import VideoSource
from epoxy_core.task import Task
from epoxy_core.video import captions_of

_KNOWN = (
    "3g2 3gp asf avi divx dv f4v flv m1v m2t m2ts m2v m4v mjpeg mkv mov mp4 mpe mpeg mpg mts mxf "
    "ogm ogv qt rm rmvb ts vob webm wmv y4m"
)
SUFFIXES = frozenset(f".{name}" for name in _KNOWN.split())
"""What a video's name ends in, below a folder or where a glob matches."""


@dataclass(frozen=True, order=True)
class Video(RawFile):
    """A video file, known by its content.

    Attributes
    ----------
    digest
        blake2b-128 of the file.
    identity
        The same of the file and the captions beside it: what a scan of it depends on.
    """

    digest: str
    identity: str


def resolve_videos(
    folder: Path, source: VideoSource, setting: str = "source.paths"
) -> list[RawFile]:
    """Find the files that ``source.paths`` stands for.

    Parameters
    ----------
    folder
        The task folder; relative paths start there.
    source
        Files, globs (``**`` descends), or folders. Below a folder, and where a glob matches,
        files with a known suffix are meant; a file named exactly is tried whatever its suffix.
    setting
        Where the user wrote the paths.

    Returns
    -------
    list of RawFile
        Sorted by name, without repeats.

    Raises
    ------
    EpoxyError
        If a path matches nothing.
    """
    found = {
        file.name: file
        for pattern in source.paths
        for file in files_of(folder, pattern, setting, _is_video, "video", _is_video)
    }
    return sorted(found.values())


def identified(files: Sequence[RawFile], remembered: Path) -> list[Video]:
    """Digest files and the captions beside them; only new and changed files are read.

    A file that cannot be read is known by its name.

    Parameters
    ----------
    files
        Videos.
    remembered
        Where digests are remembered; see `remembered_digests`.
    """
    captions = captions_of([file.path for file in files])
    every = [*(file.path for file in files), *(path for each in captions.values() for path in each)]
    legible = {str(path): path for path in every if _can_be_read(path)}
    digests = remembered_digests(legible, remembered)
    videos = []
    for file in files:
        digest = digests.get(str(file.path)) or _unread(file.name)
        identity = hashlib.blake2b(digest.encode(), digest_size=16)
        for path in captions[file.path]:
            beside = path.name.removeprefix(file.path.stem)
            identity.update(f"\n{beside}\0{digests.get(str(path))}".encode())
        name = file.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        videos.append(Video(name, file.path, digest, identity.hexdigest()))
    return videos


def task_videos(task: Task) -> list[Video]:
    """The videos of a task, each with its digest; none if its source is text.

    Raises
    ------
    EpoxyError
        As `resolve_videos`.
    """
    if task.video is None:
        return []
    place = hashlib.blake2b(str(task.folder).encode(), digest_size=16).hexdigest()
    remembered = cache_folder() / "videos" / f"{place}.json"
    return identified(resolve_videos(task.folder, task.video), remembered)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _can_be_read(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            stream.read(1)
    except OSError:
        return False
    return True


def _unread(name: str) -> str:
    unique = f"unreadable {name}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(unique, digest_size=16).hexdigest()
