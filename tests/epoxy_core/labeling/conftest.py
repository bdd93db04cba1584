from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from epoxy_core.task import Task, load_task

MakeTask = Callable[..., Task]


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    """Write a task's files (over those of an earlier call) and load its task.yaml."""

    def make(python: str | None, /, *heuristics: dict, folder: str = "task", **files: str) -> Task:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        section: dict = {"heuristics": list(heuristics)} if heuristics else {}
        if python is None:
            section["file"] = None
        else:
            (root / "labeling_functions.py").write_text(python)
        for name, text in files.items():
            stem, suffix = name.rsplit("_", 1)
            file = root / f"{stem.replace('_in_', '/')}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        content = {
            "name": "demo",
            "source": {"paths": "items.csv"},
            "classes": ["ham", "spam"],
            "labeling_functions": section,
        }
        (root / "task.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        return load_task(root)

    return make
