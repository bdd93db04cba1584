"""Relabeling by the daemon: what starts it, what it does, and what stops it."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from support import TASK, edit, messages

from assets.liveness import PROCESS, settle_dead_runs
from epoxy_core.errors import EpoxyError
from epoxy_core.task import load_task
from pipelines.definitions import build
from pipelines.instance import open_instance

ON_CHANGE = "automation: {on_change: true, retries: 1, poll_seconds: 7}\n"


class Team:
    """A finished task with its daemon's parts, as the code location held them at first."""

    def __init__(self, folder, home, instance):
        self.folder, self.home, self.instance = folder, home, instance
        self.definitions = build([load_task(folder)], home)
        self.cursor = None

    def tick(self):
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self.definitions
        )
        sensor = self.definitions.resolve_sensor_def("messages__on_change")
        result = sensor(context)
        self.cursor = context.cursor
        return result

    def relabel(self, request=None):
        """Execute the requested job in this process, like the daemon does in another."""
        job = self.definitions.resolve_job_def("messages__relabel")
        return job.execute_in_process(
            instance=self.instance, raise_on_error=False, tags=request.tags if request else None
        )

    def levels(self, run):
        """Assets made by the level runs of a relabeling, by level."""
        runs = self.instance.get_runs(
            dg.RunsFilter(tags={"epoxy/relabel": run.run_id}, job_name="messages__label")
        )
        return [
            {
                "/".join(event.dagster_event.asset_key.path[1:])
                for event in self.instance.all_logs(
                    level.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
                )
            }
            for level in reversed(runs)
        ]


@pytest.fixture
def team(finished):
    folder, home = finished
    (folder / "task.yaml").write_text(TASK + ON_CHANGE)
    with open_instance(home) as instance:
        yield Team(folder, home, instance)


def reason(result):
    assert isinstance(result, dg.SkipReason), result
    return result.skip_message


def test_fresh_then_edited_then_relabelled_then_fresh(team):
    assert reason(team.tick()) == "fresh"
    edit(team.folder / "labeling_functions.py", 'endswith("?")', 'endswith("t")')
    request = team.tick()
    assert request.tags == {"epoxy/trigger": "sensor", "epoxy/why": "messages/lf/question: edited"}
    assert team.tick().run_key == request.run_key
    done = team.relabel(request)
    assert done.success
    assert team.levels(done)[:2] == [{"lf/question"}, {"extended/question"}]
    assert "lf/words" not in set().union(*team.levels(done))
    assert reason(team.tick()) == "fresh"


def test_an_edit_that_changes_no_vote_stops_there(team):
    edit(team.folder / "labeling_functions.py", 'endswith("?")', 'endswith("?"[:])')
    done = team.relabel(team.tick())
    assert team.levels(done) == [{"lf/question"}]
    assert reason(team.tick()) == "fresh"


def test_back_and_forth_is_a_new_request_each_time(team):
    file, keys = team.folder / "labeling_functions.py", set()
    for old, new in [('"?")', '"?"[:])'), ('"?"[:])', '"?")')] * 2:
        edit(file, f"endswith({old}", f"endswith({new}")
        request = team.tick()
        keys.add(request.run_key)
        assert team.relabel(request).success
    assert len(keys) == 4


def test_a_broken_heuristic_is_tried_once_and_a_mended_one_at_once(team):
    file = team.folder / "labeling_functions.py"
    edit(file, 'return "spam" if looks', 'x.nothing\n    return "spam" if looks')
    edit(file, 'endswith("?")', 'endswith("t")')
    request = team.tick()
    failed = team.relabel(request)
    assert not failed.success
    assert not [e for e in failed.all_events if e.is_step_up_for_retry]
    (failure,) = failed.get_step_failure_events()
    assert "nothing" in failure.step_failure_data.user_failure_data.description
    assert team.levels(failed)[0] == {"lf/question"}
    assert team.tick().run_key == request.run_key
    edit(file, "x.nothing\n    ", "")
    again = team.tick()
    assert again.run_key != request.run_key
    assert team.relabel(again).success
    assert reason(team.tick()) == "fresh"


@pytest.mark.parametrize("cursor", [None, "", "{garbage"])
def test_a_lost_cursor_is_harmless(team, cursor):
    team.tick()
    team.cursor = cursor
    assert reason(team.tick()) == "fresh"
    edit(team.folder / "helpers.py", "LIMIT = 24", "LIMIT = 34")
    key = team.tick().run_key
    team.cursor = cursor
    assert team.tick().run_key == key


def test_new_rows_and_lost_results_are_changes_too(team):
    team.tick()
    cursor = team.cursor
    messages(range(70000, 70013)).head(40).write_csv(team.folder / "data" / "second.csv")
    request = team.tick()
    assert team.cursor != cursor
    assert request.tags["epoxy/why"].endswith("source changed")
    done = team.relabel(request)
    assert "items" in team.levels(done)[0]
    assert reason(team.tick()) == "fresh"
    team.home.end_model("messages").unlink()
    assert "its stored result is gone" in team.tick().tags["epoxy/why"]


def test_files_are_read_again_only_if_touched(team, monkeypatch):
    import pipelines.automation

    looked = []
    observe = pipelines.automation.observe
    monkeypatch.setattr(
        pipelines.automation, "observe", lambda *args: looked.append(args) or observe(*args)
    )
    team.tick()
    team.tick()
    assert len(looked) == 1
    (team.folder / "data" / "first.csv").touch()
    assert reason(team.tick()) == "fresh"
    assert len(looked) == 2


def test_a_tick_is_cheap(team):
    team.tick()
    start = time.perf_counter()
    for _ in range(5):
        team.tick()
    assert (time.perf_counter() - start) / 5 < 0.5


@pytest.mark.parametrize(
    ("file", "said"),
    [("task.yaml", "not valid YAML"), ("labeling_functions.py", "syntax error")],
)
def test_a_task_that_does_not_load_is_skipped_with_the_reason(team, file, said):
    good = (team.folder / file).read_text()
    (team.folder / file).write_text("this: [is neither")
    assert said in reason(team.tick())
    done = team.relabel()
    assert not done.success
    assert not [e for e in done.all_events if e.is_step_up_for_retry]
    (team.folder / file).write_text(good)
    assert reason(team.tick()) == "fresh"


def test_switched_off_counts_before_the_reload(team):
    edit(team.folder / "task.yaml", "on_change: true", "on_change: false")
    assert "off" in reason(team.tick())


def test_what_a_retry_can_cure_is_retried(team, monkeypatch):
    from epoxy_core.storage import database

    monkeypatch.setattr("pipelines.automation.DELAY", 0.1)
    monkeypatch.setattr(database.Database.__init__, "__defaults__", (0.1,))
    team.definitions = build([load_task(team.folder)], team.home)
    edit(team.folder / "helpers.py", "LIMIT = 24", "LIMIT = 34")
    with locked(team.home.database("messages")):
        failed = team.relabel()
    assert not failed.success
    assert len([e for e in failed.all_events if e.is_step_up_for_retry]) == 1
    (failure,) = failed.get_step_failure_events()
    assert "locked by another process" in failure.step_failure_data.user_failure_data.description


@contextmanager
def locked(database):
    """Another process has the file open."""
    code = (
        f"import duckdb; c = duckdb.connect({str(database)!r}); print('open', flush=True); input()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes, text=True) as other:
        assert other.stdout.readline() == "open\n"
        yield
        other.communicate("\n")


def test_the_schedule_and_the_sensor_are_defined_when_asked_for(project):
    folder, home = project

    def defined():
        found = build([load_task(folder)], home)
        return list(found.sensors or []), list(found.schedules or [])

    assert defined() == ([], [])
    (folder / "task.yaml").write_text(TASK + "automation: {cron: '0 6 * * 1-5', on_change: true}\n")
    (sensor,), (schedule,) = defined()
    assert (sensor.name, sensor.minimum_interval_seconds) == ("messages__on_change", 10)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert (schedule.name, schedule.cron_schedule) == ("messages__cron", "0 6 * * 1-5")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    context = dg.build_schedule_context()
    (request,) = schedule.evaluate_tick(context).run_requests
    assert request.tags["epoxy/trigger"] == "schedule"


@pytest.mark.parametrize("cron", ["'every day'", "'* * * *'", "'61 * * * *'"])
def test_a_cron_that_is_none(project, cron):
    folder, _ = project
    (folder / "task.yaml").write_text(TASK + f"automation: {{cron: {cron}}}\n")
    with pytest.raises(EpoxyError, match=r"automation\.cron: a cron schedule, please"):
        load_task(folder)


VICTIM = """
import os, signal, sys
from pathlib import Path
from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task
from pipelines.definitions import build
from pipelines.instance import open_instance

Database.write = lambda self: os.kill(os.getpid(), signal.SIGKILL)
home = Home(Path(sys.argv[2]))
with open_instance(home) as instance:
    job = build([load_task(Path(sys.argv[1]))], home).resolve_job_def(sys.argv[3])
    job.execute_in_process(instance=instance)
"""


@pytest.mark.parametrize("job", ["messages__relabel", "messages__label"])
def test_killed_runs_are_settled_and_their_slots_freed(team, job):
    edit(team.folder / "helpers.py", "LIMIT = 24", "LIMIT = 34")
    command = [sys.executable, "-c", VICTIM, str(team.folder), str(team.home.root), job]
    victim = subprocess.run(command, timeout=120, capture_output=True, check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    dead = team.instance.get_runs(unfinished)
    assert len(dead) == (2 if job == "messages__relabel" else 1)
    assert all(PROCESS in run.tags for run in dead)
    storage = team.instance.event_log_storage
    assert storage.get_concurrency_info("duckdb_messages").active_slot_count == 1
    request = team.tick()
    assert not team.instance.get_runs(unfinished)
    assert storage.get_concurrency_info("duckdb_messages").active_slot_count == 0
    if job == "messages__relabel":
        assert team.relabel(request).success
        assert reason(team.tick()) == "fresh"


def test_a_retry_that_has_yet_to_start_is_not_taken_for_dead(team):
    job, instance = team.definitions.resolve_job_def("messages__relabel"), team.instance
    create, started = instance.create_run_for_job, dg.DagsterRunStatus.STARTING
    tags = {PROCESS: "a process that died"}
    (Path(instance.root_directory) / "processes" / tags[PROCESS]).touch()
    killed = create(job, status=dg.DagsterRunStatus.FAILURE, tags=tags)
    parent = {"parent_run_id": killed.run_id, "root_run_id": killed.run_id}
    create(job, status=started, tags=tags, **parent)
    dead = create(job, status=started, tags=tags)
    assert settle_dead_runs(instance) == [dead.run_id]
    assert settle_dead_runs(instance) == []
