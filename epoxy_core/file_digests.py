"""Digests of large files, remembered: content is read again only where a file changed."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SAVED_EVERY = 1 << 30


def cache_folder() -> Path:
    """Return the user's cache folder, for what can be computed again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "epoxy"


def remembered_digests(files: Mapping[str, Path], remembered: Path) -> dict[str, str]:
    """Digest of every file's content.

    Parameters
    ----------
    files
        Files by name.
    remembered
        A JSON file of digests by name, size and modification time, so that only the first call
        reads the files. One that is absent or damaged costs time only.

    Returns
    -------
    dict
        blake2b-128 by name, 32 hexadecimal digits.
    """
    known = _recall(remembered)
    found: dict[str, list[Any]] = {}
    unsaved = 0
    for name, path in files.items():
        status = path.stat()
        state = [str(path), status.st_size, status.st_mtime_ns]
        old = known.get(name)
        if isinstance(old, list) and old[:-1] == state and isinstance(old[-1], str):
            found[name] = old
        else:
            found[name] = [*state, _digest(path)]
            unsaved += status.st_size
            if unsaved >= _SAVED_EVERY:  # whoever is stopped here goes on from here
                _remember(remembered, {**known, **found})
                unsaved = 0
    if found != known:
        _remember(remembered, found)
    return {name: entry[-1] for name, entry in found.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _recall(remembered: Path) -> dict[str, Any]:
    try:
        known = json.loads(remembered.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(target: Path, content: dict[str, list[Any]]) -> None:
    """Write the entry whole; a cache that cannot be written only costs time."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
        os.replace(temporary, target)
    except OSError:
        return
