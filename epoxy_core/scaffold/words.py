"""Names and paths as they stand in a new ``task.yaml``."""

import json
import os
import re
from pathlib import Path


def quoted(text: str) -> str:
    """YAML's double quotes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def relative(path: Path, folder: Path) -> str:
    """A path as seen from the task folder, quoted."""
    return quoted(os.path.relpath(path.resolve(), folder.resolve()))


def task_name(folder: Path) -> str:
    """The folder's name, made one that a task may have."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"task_{name}"
