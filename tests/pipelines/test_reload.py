"""A saved task is reloaded: what is watched, when it is posted, and when the watcher ends."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from support import edit, messages

from pipelines.reload import defines, reload_location

RELOADED = {
    "__typename": "WorkspaceLocationEntry",
    "locationOrLoadError": {"__typename": "RepositoryLocation"},
}


@contextmanager
def webserver(posted, answer=RELOADED, port=0):
    """An HTTP server that notes what is posted to it and gives one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps({"data": {"reloadRepositoryLocation": answer}}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def watcher(directory, port):
    """The process that `epoxy ui` starts, with this one as its parent."""
    url = f"http://127.0.0.1:{port}/graphql"
    command = [sys.executable, "-m", "pipelines.reload", directory, url, "epoxy", str(os.getpid())]
    process = subprocess.Popen(command)
    try:
        time.sleep(1.5)  # nothing says that a watch has begun
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RELOADED, "reloaded epoxy"),
        (
            {"locationOrLoadError": {"__typename": "PythonError", "message": "no task here"}},
            "epoxy not reloaded: no task here",
        ),
        ({"__typename": "ReloadNotSupported"}, "epoxy not reloaded: ReloadNotSupported"),
    ],
)
def test_the_post(answer, said):
    posted = []
    with webserver(posted, answer) as port:
        assert reload_location(f"http://127.0.0.1:{port}/graphql", "epoxy") == said
    assert posted[0]["variables"] == {"location": "epoxy"}
    assert "reloadRepositoryLocation" in posted[0]["query"]


def test_the_query_is_one_the_webserver_knows():
    from dagster_graphql.schema import create_schema
    from graphql import parse, validate

    from pipelines.reload import RELOAD

    assert validate(create_schema().graphql_schema, parse(RELOAD)) == []


def test_a_burst_is_one_reload_and_raw_data_none(project):
    folder, _ = project
    posted = []
    with webserver(posted) as port, watcher(folder.parent, port):
        for limit in range(24, 30):
            edit(folder / "helpers.py", f"LIMIT = {limit}", f"LIMIT = {limit + 1}")
        until(lambda: posted)
        messages(range(70000, 70013)).write_csv(folder / "data" / "second.csv")
        time.sleep(1.5)
        assert len(posted) == 1
        (folder / "labeling_functions.py").unlink()
        until(lambda: len(posted) == 2)


def test_a_webserver_that_is_not_up_yet(project):
    folder, _ = project
    posted = []
    with webserver(posted) as port:
        pass
    with watcher(folder.parent, port):
        edit(folder / "task.yaml", "neighbors: 8", "neighbors: 9")
        time.sleep(1)
        with webserver(posted, port=port):
            until(lambda: posted)


def test_the_watcher_ends_with_its_parent(project):
    folder, _ = project
    code = (
        "import os, subprocess, sys\n"
        "command = [sys.executable, '-m', 'pipelines.reload', sys.argv[1], 'http://127.0.0.1:9/', "
        "'epoxy', str(os.getpid())]\n"
        "print(subprocess.Popen(command, stdout=subprocess.DEVNULL).pid)\n"
        "sys.stdout.close(); import time; time.sleep(3)"
    )
    parent = subprocess.run(
        [sys.executable, "-c", code, folder.parent], stdout=subprocess.PIPE, check=True, timeout=60
    )
    watcher = int(parent.stdout)
    until(lambda: not _alive(watcher))


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("messages/task.yaml", True),
        ("messages/deeper/helpers.py", True),
        ("messages/words.txt", True),
        ("messages/data/first.csv", False),
        ("elsewhere/words.txt", False),
        ("new/task.yaml", True),
    ],
)
def test_what_defines_assets(project, path, expected):
    folder, _ = project
    assert defines(folder.parent / path, folder.parent) is expected
