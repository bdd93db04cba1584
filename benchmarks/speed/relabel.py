"""From a saved edit of one heuristic to fresh labels: warm (`epoxy watch`), and cold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import relabel
from benchmarks.speed.contest import Contender, Record, contest
from benchmarks.speed.data import HEURISTICS, Run
from benchmarks.speed.peers.inside import Engine, Job, Work
from benchmarks.speed.pipeline import ready_home
from epoxy_core.home import Home

STAGE = "relabel"
COLD_SHARE = 10
"""So many warm rounds to a cold one."""

EXPRESSION = "at least|supposed to|instead of"
EXPRESSIONS = (f"{EXPRESSION}|should have", f"{EXPRESSION}|could have", "at least|supposed to")

FUNCTION = '''\
from epoxy_core.labeling import labeling_function


@labeling_function
def asks(x):
    """A question."""
    return "negative" if x.text.count("?") > 0 else None


'''
"""What takes the place of the expression of that name, where a Python function is edited."""
COUNT = 'x.text.count("?") > 0'
COUNTS = ('x.text.count("?") > 1', 'x.text.count("?!") > 0', 'x.text.count("? ") > 0')


def warm_expression(job: Job) -> Work:
    """A Polars expression is edited."""
    return _warm(job, HEURISTICS.read_text(encoding="utf-8"), EXPRESSION, EXPRESSIONS)


def warm_function(job: Job) -> Work:
    """A Python function is edited."""
    return _warm(job, with_function(), COUNT, COUNTS)


def cold(job: Job) -> Work:
    """``epoxy relabel`` in a new process, for which an expression is edited."""
    file = _heuristics(job, HEURISTICS.read_text(encoding="utf-8"))
    edit = relabel.edits(file, EXPRESSION, EXPRESSIONS)
    rounds = max(1, job["edits"] // COLD_SHARE)

    def keep(seconds: list[float]) -> dict[str, Any]:
        file.write_text(HEURISTICS.read_text(encoding="utf-8"), encoding="utf-8")
        return {"rounds": {"all": seconds}}

    return Work(
        lambda: relabel.cold(Path(job["folder"]), Home(Path(job["home"])), edit, rounds), keep
    )


ENGINES: dict[str, Engine] = {
    "warm_expression": warm_expression,
    "warm_function": warm_function,
    "cold": cold,
}


def with_function() -> str:
    """The heuristics' file, one of them a Python function."""
    text = HEURISTICS.read_text(encoding="utf-8")
    before, _, after = text.partition('@expression_labeling_function(vote="negative")\n')
    assert after.startswith("def asks")
    return before + FUNCTION + after[after.index("@") :]


def stage(run: Run) -> list[Record]:
    """Measure, on the results of the pipeline's stage, or its like where it has not run."""
    home = ready_home(run)
    contenders = [
        Contender("warm, an expression edited", "warm_expression", repeat=1),
        Contender("warm, a Python function edited", "warm_function", repeat=1),
        Contender("cold, an expression edited", "cold", repeat=1),
    ]
    job = {"folder": str(run.task_folder), "home": str(home.root), "edits": run.edits}
    return contest(replace(run, rounds=1), STAGE, contenders, lambda _: job)


def _warm(job: Job, text: str, old: str, variants: tuple[str, ...]) -> Work:
    file, home = _heuristics(job, text), Home(Path(job["home"]))
    edit = relabel.edits(file, old, variants)

    def keep(rounds: pl.DataFrame) -> dict[str, Any]:
        file.write_text(HEURISTICS.read_text(encoding="utf-8"), encoding="utf-8")
        return {"rounds": {name: rounds[name].to_list() for name in rounds.columns}}

    return Work(lambda: relabel.measure(Path(job["folder"]), home, job["edits"], edit), keep)


def _heuristics(job: Job, text: str) -> Path:
    file = Path(job["folder"]) / "labeling_functions.py"
    file.write_text(text, encoding="utf-8")
    return file
