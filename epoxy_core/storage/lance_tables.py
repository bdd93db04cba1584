"""What every Lance table needs: opening, tags, compaction, errors a user can act on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from epoxy_core.errors import EpoxyError

_TAGS_KEPT = 10
_STILL_READ = timedelta(hours=1)


def connect(path: Path) -> Any:
    """Open a LanceDB connection; the directory is created."""
    os.environ.setdefault("LANCEDB_LOG", "error")  # it warns of every table that it creates
    import lancedb

    return lancedb.connect(path)


def open_table(path: Path, name: str) -> Any | None:
    """Open the table's current version, or None if there is no such table."""
    return connect(path).open_table(name) if (path / f"{name}.lance").exists() else None


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what Lance and Arrow raise on damaged or unwritable files into an `EpoxyError`."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EpoxyError(
            f"the stored vectors cannot be read or written: {reason}",
            where=str(path),
            remedy="Check the free space and the permissions. If files are damaged, delete this "
            "directory and materialize the embeddings again.",
        ) from error


def tag_versions(table: Any) -> dict[str, int]:
    """Map tag names to versions."""
    return {name: int(tag["version"]) for name, tag in table.tags.list().items()}


def set_tag(table: Any, name: str) -> None:
    """Name the table's version; an existing name moves.

    Only the newest tags stay: compaction can free no file that a tagged version needs.
    """
    if name in table.tags.list():
        table.tags.update(name, table.version)
    else:
        table.tags.create(name, table.version)
    by_age = sorted(tag_versions(table).items(), key=lambda tag: (tag[1], tag[0] == name))
    for old, _ in by_age[:-_TAGS_KEPT]:
        table.tags.delete(old)


def compact(table: Any, still_read: timedelta = _STILL_READ) -> None:
    """Merge small files; drop versions older than ``still_read`` and than every tagged one.

    Parameters
    ----------
    table
        An open table.
    still_read
        How long other processes may go on reading an old version.
    """
    written = {one["version"]: one["timestamp"] for one in table.list_versions()}
    age = still_read
    for version in tag_versions(table).values():
        # Lance refuses a clean-up whose span includes a tagged version.
        since = datetime.now(written[version].tzinfo) - written[version]
        age = max(age, since + timedelta(seconds=1))
    table.optimize(cleanup_older_than=age)
