import os
import sys
import textwrap
import time
from dataclasses import asdict

import pytest

from benchmarks.speed import contest, measure
from benchmarks.speed.contest import Contender, Record, save
from benchmarks.speed.data import Run, Source
from benchmarks.speed.measure import MeasuringError
from benchmarks.speed.report import read

ENGINES = """
    import sys, time
    sys.path.insert(0, {peers!r})
    from inside import Work, answer

    def sleeping(job):
        return Work(lambda: time.sleep(job["sleep"]), lambda _: {{"slept": job["sleep"]}})

    def growing(job):
        return Work(lambda: b"x" * (job["mebibytes"] * 2**20))

    def failing(job):
        raise ValueError("no such thing")

    def dying(job):
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)

    engines = {{"sleeping": sleeping, "growing": growing, "failing": failing, "dying": dying}}
    answer(engines, sys.argv[1])
"""


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "engines.py"
    file.write_text(textwrap.dedent(ENGINES).format(peers=str(contest.PEERS)))
    return [sys.executable, str(file)]


def run_of(cache, **others):
    settings = {
        "rounds": 2,
        "edits": 2,
        "threads": 2,
        "quick": False,
        "machine": {"machine": "this"},
    }
    return Run(1000, Source(cache), "no python", **{**settings, **others})


def test_a_short_job_is_repeated(program):
    found = measure.measure(program, {"engine": "sleeping", "sleep": 0.02, "repeat": 5}, 1, 30)
    assert len(found.seconds) == len(found.processor) == 5
    assert all(0.02 <= seconds < 1 for seconds in found.seconds)
    assert max(found.processor) < 0.02
    assert found.figures == {"slept": 0.02}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell only the process's peak")
def test_memory_is_that_of_the_call(program):
    found = measure.measure(program, {"engine": "growing", "mebibytes": 200}, 1, 30)
    assert found.before is not None
    assert found.peak is not None
    assert 195 < found.peak - found.before < 260


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_samples_are_of_the_call(program):
    started = time.time()
    found = measure.measure(program, {"engine": "sleeping", "sleep": 0.3, "repeat": 1}, 1, 30)
    assert len(found.samples) >= 3
    assert all(started < sample.time < time.time() for sample in found.samples)
    assert found.samples[-1].time - found.samples[0].time < 1
    highest = found.highest()
    assert highest is not None
    assert 1 < highest.own < 500
    assert highest.files > 0
    assert found.highest(started=time.time()) is None


def test_why_there_is_no_figure(program):
    with pytest.raises(MeasuringError, match="ValueError: no such thing"):
        measure.measure(program, {"engine": "failing"}, 1, 30)
    with pytest.raises(MeasuringError, match="stopped after 0 s"):
        measure.measure(program, {"engine": "sleeping", "sleep": 20}, 1, 0.1)
    with pytest.raises(MeasuringError, match="SIGKILL"):
        measure.measure(program, {"engine": "dying"}, 1, 30)
    with pytest.raises(MeasuringError, match="nowhere: No such file"):
        measure.measure(["nowhere"], {}, 1, 30)


def test_threads_are_limited_by_the_environment(program, tmp_path):
    asking = tmp_path / "asking.py"
    asking.write_text(
        f"import os, sys\nsys.path.insert(0, {str(contest.PEERS)!r})\n"
        "from inside import Work, answer\n"
        "names = [n for n in os.environ if n.endswith('_NUM_THREADS')]\n"
        "keep = lambda _: {n: os.environ[n] for n in names}\n"
        "answer({'asking': lambda job: Work(lambda: None, keep)}, sys.argv[1])\n"
    )
    found = measure.measure([sys.executable, str(asking)], {"engine": "asking"}, 3, 30)
    assert found.figures["OMP_NUM_THREADS"] == found.figures["NUMBA_NUM_THREADS"] == "3"
    assert os.environ.get("OMP_NUM_THREADS") != "3"


def test_one_that_fails_does_not_stop_the_others(program, tmp_path, monkeypatch):
    monkeypatch.setattr(contest, "_command", lambda run, stage, contender: program)
    contenders = [
        Contender("late", "failing"),
        Contender("asleep", "sleeping", settings={"sleep": 0.01}, repeat=3),
        Contender("strange", "sleeping", settings={"sleep": 0.01}),
    ]

    def judge(contender, measured):
        if contender.name == "strange":
            raise MeasuringError("a strange result")
        return {"judged": contender.name}

    found = contest.contest(run_of(tmp_path), "stage", contenders, lambda _: {}, judge)
    late, asleep, strange = found
    assert late.seconds is None
    assert late.problem == "ValueError: no such thing"
    assert asleep.calls == 6
    assert asleep.seconds <= asleep.worst
    assert asleep.figures == {"slept": 0.01, "judged": "asleep"}
    assert strange.problem == "a strange result"


def test_what_is_slow_has_one_round(program, tmp_path, monkeypatch):
    monkeypatch.setattr(contest, "_command", lambda run, stage, contender: program)
    monkeypatch.setattr(contest, "AGAIN", 0.05)
    slow = Contender("slow", "sleeping", settings={"sleep": 0.1}, repeat=1)
    fast = Contender("fast", "sleeping", settings={"sleep": 0.01}, repeat=1)
    found = contest.contest(run_of(tmp_path), "stage", [slow, fast], lambda _: {})
    assert [record.calls for record in found] == [1, 2]
    assert [asdict(each) for each in read(tmp_path / "results", "stage")[1000]] == [
        asdict(each) for each in found
    ]


def test_records_are_read_as_they_were_written(tmp_path):
    run = run_of(tmp_path)
    records = [
        Record("one", True, 2, seconds=0.5, figures={"recall": 0.9}),
        Record("two", False, 1),
    ]
    save(run, "graph", records)
    found = read(tmp_path / "results", "graph")
    assert [asdict(record) for record in found[1000]] == [asdict(record) for record in records]
    assert read(tmp_path / "results", "votes") == {}
