"""What the raw files of a task are, whether text or video: their paths and their digest."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from epoxy_core.corpus.files import label_files, resolve_files
from epoxy_core.corpus.paths import RawFile
from epoxy_core.corpus.videos import resolve_videos, task_videos
from epoxy_core.source_settings import TextSource
from epoxy_core.task import Task
from epoxy_core.video import captions_of

_BLOCK = 1 << 20


def raw_files(task: Task) -> list[Path]:
    """Every file that ``source`` and ``labels.file`` stand for, and the captions beside videos.

    Raises
    ------
    EpoxyError
        If a path matches nothing, or a file cannot be read.
    """
    labels = [file.path for file in label_files(task)]
    return [*source_files(task), *labels]


def source_files(task: Task) -> list[Path]:
    """Every file that ``source`` stands for, and the captions beside videos.

    Raises
    ------
    EpoxyError
        As `raw_files`.
    """
    if isinstance(task.source, TextSource):
        return [file.path for file in resolve_files(task.folder, task.source)]
    videos = [file.path for file in resolve_videos(task.folder, task.source)]
    return [*videos, *(path for beside in captions_of(videos).values() for path in beside)]


def source_digest(task: Task) -> str:
    """Hash of the raw files, names and bytes: the data version of the source.

    Digests of videos are remembered (`remembered_digests`).

    Returns
    -------
    str
        blake2b-128, 32 hexadecimal digits.

    Raises
    ------
    EpoxyError
        As `raw_files`.
    """
    if isinstance(task.source, TextSource):
        return _digest(resolve_files(task.folder, task.source))
    digest = hashlib.blake2b(digest_size=16)
    for video in task_videos(task):
        digest.update(f"{video.identity} {video.name}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def labels_digest(task: Task) -> str | None:
    """Hash of the separate gold label file, like `source_digest`; None if there is none."""
    files = label_files(task)
    return _digest(files) if files else None


def _digest(files: Sequence[RawFile]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        name = file.name.encode("utf-8", "surrogateescape")
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(file.path.stat().st_size.to_bytes(8, "little"))
        with file.path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
