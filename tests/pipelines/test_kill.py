"""``kill -9`` at the worst moment: the next run finds whole tables and finishes the work."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from support import bring_up_to_date, edit, messages, ran, tables

from assets.store import Store
from epoxy_core.home import Home
from epoxy_core.task import load_task

RUN = """
from pathlib import Path
from epoxy_core.home import Home
from support import bring_up_to_date
"""


def start(code, folder, home):
    """Run Python beside us, as another process would."""
    paths = f"folder, home = Path({str(folder)!r}), Home(Path({str(home.root)!r}))"
    source = f"{RUN}\n{paths}\n{textwrap.dedent(code)}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, "tests"])}
    return subprocess.Popen([sys.executable, "-c", source], env=environment)


KILL_BEFORE_COMMIT = """
from contextlib import contextmanager
import os, signal
from epoxy_core.storage.database import Database

write, calls = Database.write, []

@contextmanager
def killed(self):
    with write(self) as connection:
        yield connection
        calls.append(self)
        if len(calls) == {nth}:
            os.kill(os.getpid(), signal.SIGKILL)

Database.write = killed
bring_up_to_date(folder, home)
"""


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_killed_before_a_commit(finished, tmp_path, nth):
    folder, home = finished
    edit(folder / "helpers.py", "> 4", "> 7")
    undisturbed = Home(tmp_path / "undisturbed")
    shutil.copytree(home.root, undisturbed.root)
    bring_up_to_date(folder, undisturbed)

    before = tables(folder, home)
    victim = start(KILL_BEFORE_COMMIT.format(nth=nth), folder, home)
    assert victim.wait(120) == -signal.SIGKILL
    between = tables(folder, home)
    if nth == 1:  # the votes of the edited LF were written, but not committed
        assert all(between[name].equals(before[name]) for name in before)
    assert between["items"].equals(before["items"])

    assert not bring_up_to_date(folder, home).failures
    now, expected = tables(folder, home), tables(folder, undisturbed)
    for name in expected:
        assert now[name].equals(expected[name]), name
    assert not ran(bring_up_to_date(folder, home))


def test_killed_while_embedding(project):
    folder, home = project
    messages(range(10_000, 10_400)).write_csv(folder / "data" / "many.csv")
    task = load_task(folder)
    store = Store(home=str(home.root)).embeddings(task)
    victim = start("bring_up_to_date(folder, home)", folder, home)
    deadline = time.monotonic() + 120
    while not home.database(task.name).exists() or not _stored(store, home, task):
        assert victim.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    kept, total = _stored(store, home, task), _texts(home, task).n_unique()
    assert 0 < kept < total

    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert "items" not in ran(done)
    assert _embedded_now(home, task) == total - kept


def _texts(home, task):
    database = Store(home=str(home.root)).database(task)
    return database.query("SELECT content_hash FROM items")["content_hash"]


def _stored(store, home, task):
    """Texts whose vector is there, each once."""
    try:
        wanted = _texts(home, task).unique().to_list()
    except Exception:
        return 0  # the table is not there yet, or the file is locked for this moment
    return len(wanted) - len(store.missing(wanted))


def _embedded_now(home, task):
    import dagster as dg

    from pipelines.instance import open_instance

    with open_instance(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([task.name, "embeddings"]))
        return event.asset_materialization.metadata["embedded_now"].value
