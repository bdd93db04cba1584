"""The warm loop ends where a cold relabeling ends, tables and lineage alike."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from rich.console import Console
from support import bring_up_to_date, edit, ran, tables

from assets.lf_summary import publish_summary
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from pipelines.instance import open_instance
from pipelines.stopping import SIGNALS
from pipelines.watch import Watch, watch_task

HELD = (
    "items",
    "lf_votes",
    "extended_votes",
    "label_model",
    "lf_accuracy",
    "lf_summary",
    "labels",
)
LATER = {"refined_labels", "training_set", "end_model", "evaluation"}


@contextmanager
def watching(folder, home):
    with open_instance(home) as instance:
        yield Watch(instance, folder, home)


def relabelled_elsewhere(folder, home, elsewhere):
    """The tables of a cold relabeling of the same folder in a copy of the home."""
    other = Home(elsewhere)
    if not other.root.exists():
        shutil.copytree(home.root, other.root)
        (other.root / "dagster" / "dagster.yaml").unlink(missing_ok=True)
    assert not bring_up_to_date(folder, other).failures
    return tables(folder, other)


EDITS = {
    "body": ("labeling_functions.py", 'endswith("?")', 'endswith("t")'),
    "helper": ("helpers.py", "> 4", "> 7"),
    "words": ("labeling_functions.py", '"free", "prize"', '"offer", "now"'),
    "new": (
        "labeling_functions.py",
        "SPAM_WORDS = [",
        'also = keywords("also", "ham", ["mum"])\nSPAM_WORDS = [',
    ),
    "removed": ("labeling_functions.py", "@labeling_function\ndef number", "def number"),
    "renamed": ("labeling_functions.py", "def question(", "def asking("),
    "threshold": ("task.yaml", "neighbors: 8", "neighbors: 8\n  threshold: 0.9"),
    "dev": ("task.yaml", "neighbors: 8", "neighbors: 8\n  threshold: dev"),
    "hard": ("task.yaml", "neighbors: 8", "neighbors: 8\n  weighting: hard"),
    "propagated": ("task.yaml", "neighbors: 8", "neighbors: 8\n  weighting: propagated"),
    "model": ("task.yaml", "classes:", "label_model: {method: triplets}\nclasses:"),
    "neighbors": ("task.yaml", "neighbors: 8", "neighbors: 5"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_equals_a_cold_relabeling(finished, tmp_path, kind):
    folder, home = finished
    shutil.copytree(home.root, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "dagster" / "dagster.yaml").unlink(missing_ok=True)
    with watching(folder, home) as watch:
        edit(folder / EDITS[kind][0], *EDITS[kind][1:])
        view = watch.refresh()
        assert not view.problem
        watch.record()
    warm = tables(folder, home)
    cold = relabelled_elsewhere(folder, home, tmp_path / "elsewhere")
    for name in HELD:
        assert warm[name].equals(cold[name]), name
    # What the session does not hold follows, and nothing that it recorded runs again.
    assert ran(bring_up_to_date(folder, home)) <= LATER
    warm = tables(folder, home)
    assert all(warm[name].equals(cold[name]) for name in cold)


def test_an_edit_is_in_the_tables_before_it_is_recorded(finished, tmp_path):
    folder, home = finished
    shutil.copytree(home.root, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "dagster" / "dagster.yaml").unlink(missing_ok=True)
    recorded_later = {"lf_accuracy", "lf_summary", "label_model", "predictions", "training_set"}
    with watching(folder, home) as watch:
        edit(folder / "helpers.py", "> 4", "> 7")
        view = watch.refresh()
        assert 0 < view.committed < view.seconds
        warm = tables(folder, home)
        cold = relabelled_elsewhere(folder, home, tmp_path / "elsewhere")
        for name in warm.keys() - recorded_later:
            assert warm[name].equals(cold[name]), name
        runs = "SELECT count(*) FROM label_runs"
        n_runs = watch.store.database(watch.task).query(runs)[0, 0]
        watch.record()
        assert watch.store.database(watch.task).query(runs)[0, 0] == n_runs
    versions = watch.store.database(watch.task).query(
        "SELECT data_versions FROM label_runs ORDER BY created_at DESC LIMIT 1"
    )
    assert None not in json.loads(versions[0, 0]).values()


def test_tables_that_cannot_be_written_at_once_are_written_when_recorded(finished, tmp_path):
    folder, home = finished
    shutil.copytree(home.root, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "dagster" / "dagster.yaml").unlink(missing_ok=True)
    with watching(folder, home) as watch:
        meddler = watch.store.database(watch.task)
        with meddler.write() as connection:  # as another process that published meanwhile
            connection.execute("UPDATE label_runs SET run_id = run_id || '-again'")
        edit(folder / "helpers.py", "> 4", "> 7")
        assert watch.refresh().committed is None
        watch.record()
        edit(folder / "helpers.py", "> 7", "> 2")
        assert watch.refresh().committed is not None
        watch.record()
    warm = tables(folder, home)
    cold = relabelled_elsewhere(folder, home, tmp_path / "elsewhere")
    for name in HELD:
        assert warm[name].equals(cold[name]), name


def test_an_edit_taken_back_after_a_crash_leaves_no_trace(finished):
    folder, home = finished
    before = tables(folder, home)
    with watching(folder, home) as watch:
        edit(folder / "helpers.py", "> 4", "> 7")
        assert watch.refresh().committed is not None
        # Here the process is killed: nothing is recorded.
    edit(folder / "helpers.py", "> 7", "> 4")
    assert not tables(folder, home)["lf_votes"].equals(before["lf_votes"])
    assert {"lf/number", "extended/number", "labels"} <= ran(bring_up_to_date(folder, home))
    after = tables(folder, home)
    assert all(after[name].equals(before[name]) for name in before)
    assert ran(bring_up_to_date(folder, home)) == set()


def test_a_save_without_effect_records_nothing(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        edit(folder / "labeling_functions.py", "def question(x):", "# why\ndef question(x):")
        assert watch.refresh().update.voted == ()
        assert not watch.pending


def test_the_last_good_state_stays_when_a_save_is_broken(finished):
    folder, home = finished
    source = (folder / "labeling_functions.py").read_text()
    with watching(folder, home) as watch:
        good = watch.view.update.combined
        (folder / "labeling_functions.py").write_text(source + "\ndef (")
        broken = watch.refresh()
        assert "labeling_functions.py" in broken.problem
        assert broken.update.combined is good
        (folder / "labeling_functions.py").write_text(
            source.replace('return "spam" if looks', 'x.nothing\n    return "spam" if looks')
        )
        raising = watch.refresh()
        assert "nothing" in raising.update.refused["number"]
        assert (raising.update.combined.extended == good.extended).all()
        watch.record()
        (folder / "labeling_functions.py").write_text(source)
        assert not watch.refresh().update.refused
    assert ran(bring_up_to_date(folder, home)) == set()


def test_a_good_edit_before_a_broken_one_is_recorded_as_what_it_was(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        edit(folder / "helpers.py", "> 4", "> 7")
        assert watch.refresh().update.changed == ("number",)
        edit(folder / "labeling_functions.py", "if looks", "if x.nothing and looks")
        assert "number" in watch.refresh().update.refused
        watch.record()
    done = bring_up_to_date(folder, home)
    assert "nothing" in done.failures[0]
    edit(folder / "labeling_functions.py", "if x.nothing and looks", "if looks")
    assert "lf/short" not in ran(bring_up_to_date(folder, home))


def test_raw_data_is_taken_in(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        n = len(watch.session.items)
        with (folder / "data" / "first.csv").open("a") as file:
            file.write("zz,a free prize,spam\n")
        assert not watch.refresh().problem
        assert len(watch.session.items) == n + 1
        assert watch.refresh().update.voted == ()


def test_a_source_that_is_gone_stays_the_problem_until_it_is_mended(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        n = len(watch.session.items)
        edit(folder / "task.yaml", "paths: data/*.csv", "paths: data/*.jsonl")
        assert "data/*.jsonl" in watch.refresh().problem
        edit(folder / "labeling_functions.py", "def question(x):", "# why\ndef question(x):")
        assert "data/*.jsonl" in watch.refresh().problem
        new = '{"id": "new", "text": "free prize", "label": null}\n'
        (folder / "data" / "one.jsonl").write_text(new)
        edit(folder / "task.yaml", "paths: data/*.jsonl", "paths: [data/*.csv, data/*.jsonl]")
        assert not watch.refresh().problem
        assert len(watch.session.items) == n + 1


@contextmanager
def command(folder, home):
    """``epoxy watch`` as a process of its own that showed its first table."""
    environment = {**os.environ, "EPOXY_HOME": str(home.root), "COLUMNS": "120"}
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "watch", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            _until(process, "refreshed in")
            yield process
        finally:
            process.kill()


def test_the_command_refreshes_on_save_and_ends_on_interrupt(finished):
    folder, home = finished
    with command(folder, home) as process:
        edit(folder / "helpers.py", "> 4", "> 7")
        assert "labels flipped" in _until(process, "recorded in")
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _until(process, "ending")
        assert time.monotonic() - start < 2
        _until(process, "up to date")
        assert process.wait(30) == 0
    assert ran(bring_up_to_date(folder, home)) == set()


WAITS = """
    import pathlib, time
    pathlib.Path({called!r}).touch()
    while not pathlib.Path({let_go!r}).exists():
        time.sleep(0.01)
"""


def under_way(folder, root):
    """Save a heuristic that waits for the file returned, and wait until it is called."""
    called, let_go = root / "called", root / "let_go"
    function = "def looks_like_a_number(text):"
    edit(folder / "helpers.py", "> 4", "> 7")
    waits = WAITS.format(called=str(called), let_go=str(let_go))
    edit(folder / "helpers.py", function, function + waits)
    deadline = time.monotonic() + 90
    while not called.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return let_go


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_the_middle_of_a_refresh_lets_it_complete(finished, tmp_path, sign):
    folder, home = finished
    with command(folder, home) as process:
        if sign == signal.SIGTERM:  # reopens the session: the work is Dagster's
            edit(folder / "task.yaml", "neighbors: 8", "neighbors: 5")
        let_go = under_way(folder, tmp_path)
        process.send_signal(sign)
        _until(process, "ending")
        let_go.touch()
        assert "refreshed in" in _until(process, "up to date")
        assert process.wait(30) == 0
    assert ran(bring_up_to_date(folder, home)) == set()


def test_a_second_interrupt_ends_at_once_and_whole(finished, tmp_path):
    folder, home = finished
    before = tables(folder, home)
    with command(folder, home) as process:
        let_go = under_way(folder, tmp_path)
        process.send_signal(signal.SIGINT)
        _until(process, "ending")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == -signal.SIGINT
    after = tables(folder, home)
    assert all(after[name].equals(before[name]) for name in before)
    let_go.touch()
    assert not bring_up_to_date(folder, home).failures


@pytest.mark.parametrize("while_recording", [False, True])
def test_an_interrupt_in_the_middle_of_work_loses_nothing(finished, monkeypatch, while_recording):
    folder, home = finished
    before = [signal.getsignal(sign) for sign in SIGNALS]

    def saves(task, stop):
        edit(folder / "helpers.py", "> 4", "> 7")
        yield True
        if while_recording:
            with monkeypatch.context() as patch:
                patch.setattr("pipelines.record.publish_summary", _interrupted)
                yield False
        else:
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)

    monkeypatch.setattr("pipelines.watch._saves", saves)
    printed = Console(file=io.StringIO(), width=120)
    watch_task(printed, folder, home)
    assert printed.file.getvalue().endswith("up to date\n")
    assert [signal.getsignal(sign) for sign in SIGNALS] == before
    assert ran(bring_up_to_date(folder, home)) == set()


def test_what_was_saved_last_is_brought_up_to_date_at_the_end(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        edit(folder / "task.yaml", "neighbors: 8", "neighbors: 5")
        watch.finish()
    assert ran(bring_up_to_date(folder, home)) == set()


def test_an_end_that_cannot_be_brought_up_to_date_says_why(finished):
    folder, home = finished
    with watching(folder, home) as watch:
        edit(folder / "helpers.py", "LIMIT = 24", "LIMIT = (")
        with pytest.raises(EpoxyError, match=r"helpers\.py"):
            watch.finish()


def _interrupted(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    return publish_summary(*arguments)


def _until(process, words):
    """Output up to the line with these words."""
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    watchdog.cancel()
    text = "".join(lines)
    assert words in text, text
    return text
