"""A task folder on disk, settings given as Python values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from epoxy_core.task import Task, load_task

TaskFactory = Callable[..., Task]


@pytest.fixture
def make_task(tmp_path: Path) -> TaskFactory:
    def make(
        *, classes: tuple[str, ...] = ("ham", "spam"), labels: Any = None, **source: Any
    ) -> Task:
        settings = {"name": "demo", "classes": list(classes), "source": source}
        if labels is not None:
            settings["labels"] = labels
        (tmp_path / "task.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        return load_task(tmp_path)

    return make


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return put
