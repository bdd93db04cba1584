"""A small task on which the whole pipeline runs in seconds."""

import os
import shutil

import pytest
from support import HELPERS, HEURISTICS, TASK, bring_up_to_date, messages

from epoxy_core.home import Home

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.pop("DAGSTER_HOME", None)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The task's folder, never run."""
    folder = tmp_path_factory.mktemp("template") / "messages"
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    (folder / "helpers.py").write_text(HELPERS)
    messages(range(80000, 80020)).write_csv(folder / "data" / "first.csv")
    return folder


@pytest.fixture
def project(template, tmp_path):
    """A task folder of one's own and an empty home."""
    folder = tmp_path / "messages"
    shutil.copytree(template, folder)
    return folder, Home(tmp_path / "home")


@pytest.fixture(scope="session")
def _finished(template, tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    folder = root / "messages"
    shutil.copytree(template, folder)
    done = bring_up_to_date(folder, Home(root / "home"))
    assert not done.failures, done.failures
    return root


@pytest.fixture
def finished(_finished, tmp_path):
    """A task folder of one's own that was just run, and its home."""
    for name in ("messages", "home"):
        shutil.copytree(_finished / name, tmp_path / name)
    (tmp_path / "home" / "dagster" / "dagster.yaml").unlink()  # it names the original's storage
    return tmp_path / "messages", Home(tmp_path / "home")
