"""How much room a task's results take on disk."""

from collections.abc import Mapping
from pathlib import Path

from epoxy_core.home import Home


def footprint(home: Home, name: str) -> Mapping[str, int]:
    """Bytes on disk by what they hold, of a task's results.

    Parameters
    ----------
    home
        The output directory.
    name
        The task.

    Returns
    -------
    Mapping
        ``tables`` (DuckDB, with its log), ``vectors`` (LanceDB), ``neighbour graph``, ``lexical
        vectors``, ``training set`` and ``end model``; without what there is not.
    """
    database, end_model = home.database(name), home.end_model(name)
    parts = {
        "tables": [database, Path(f"{database}.wal")],
        "vectors": [home.lance(name)],
        "neighbour graph": [home.neighbors(name)],
        "lexical vectors": [home.lexical(name)],
        "training set": [home.training_set(name)],
        "end model": [end_model, end_model.with_suffix(".md")],
    }
    sizes = {part: sum(map(_size, places)) for part, places in parts.items()}
    return {part: size for part, size in sizes.items() if size}


def in_words(size: int) -> str:
    """Bytes as ``12.3 MB``."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size} B"


def _size(place: Path) -> int:
    """Bytes of a file, or of all files below a directory; of what is gone meanwhile, none."""
    try:
        if place.is_dir():
            return sum(map(_size, place.iterdir()))
        return place.stat().st_size
    except OSError:
        return 0
