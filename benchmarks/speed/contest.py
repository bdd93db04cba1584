"""The contenders of a stage, one after the other, round after round, and what is written down."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.data import Run
from benchmarks.speed.measure import Measured, measure, problem

PEERS = Path(__file__).parent / "peers"
AGAIN = 60.0
"""A contender that took longer in its first round, its start included, has no second one."""
ENOUGH = 20
"""Calls in one process at most, while they take no more than two seconds together."""


@dataclass(frozen=True)
class Contender:
    """Somebody who does a stage's job.

    Attributes
    ----------
    name
        In tables.
    engine
        Of the stage's ``ENGINES``, the product's or the peers'.
    ours
        Whether it is the product.
    settings
        What the engine wants to know besides the stage's files.
    threads
        None: all that the run may use.
    limit
        Seconds.
    repeat
        Calls in one process at most.
    """

    name: str
    engine: str
    ours: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    limit: float = 7200.0
    repeat: int = ENOUGH


@dataclass
class Record:
    """What is known of a contender at a size: the best of all its calls, or its problem.

    Attributes
    ----------
    seconds, worst, processor
        Of the fastest and of the slowest call, and the fewest CPU seconds of one.
    peak, beyond
        MiB resident at most in the process, and beyond what it held when the call began; the
        fewest of all rounds.
    own, files
        MiB at most, by samples: the process's own, and mapped pages of files.
    """

    name: str
    ours: bool
    threads: int
    seconds: float | None = None
    worst: float | None = None
    processor: float | None = None
    peak: float | None = None
    beyond: float | None = None
    own: float | None = None
    files: float | None = None
    calls: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    def add(self, measured: Measured, figures: Mapping[str, Any]) -> None:
        """Take in one round."""
        self.seconds = _least(self.seconds, min(measured.seconds))
        self.worst = max(self.worst or 0.0, *measured.seconds)
        self.processor = _least(self.processor, min(measured.processor))
        self.calls += len(measured.seconds)
        if measured.peak is not None:
            self.peak = _least(self.peak, measured.peak)
            if measured.before is not None:
                self.beyond = _least(self.beyond, max(measured.peak - measured.before, 0.0))
        if highest := measured.highest():
            self.own, self.files = _least(self.own, highest.own), _least(self.files, highest.files)
        self.figures |= figures


Judge = Callable[[Contender, Measured], Mapping[str, Any]]
"""Further figures of a result, found outside of the process that made it."""


def contest(
    run: Run,
    stage: str,
    contenders: Sequence[Contender],
    job: Callable[[Contender], Mapping[str, Any]],
    judge: Judge | None = None,
) -> list[Record]:
    """Measure all contenders in turn, so that a busy machine disturbs them alike.

    What is known is written down after every measurement.

    Parameters
    ----------
    run
        Items, rounds, threads, the peers' Python.
    stage
        Name of the product's module with ``ENGINES``, and of the peers' script.
    contenders
        Who takes part.
    job
        What each engine is told, its settings aside.
    judge
        See `Judge`.

    Returns
    -------
    list
        In the order of the contenders; one that fails has its problem, and the rest go on.
    """
    records = {
        each.name: Record(each.name, each.ours, each.threads or run.threads) for each in contenders
    }
    going = list(contenders)
    for number in range(run.rounds):
        for contender in list(going):
            record = records[contender.name]
            said = f"  {stage}, {run.items:,}: {contender.name}"
            print(said, end="", file=sys.stderr, flush=True)
            try:
                measured = measure(
                    _command(run, stage, contender),
                    {
                        **job(contender),
                        **contender.settings,
                        "engine": contender.engine,
                        "repeat": contender.repeat,
                    },
                    record.threads,
                    contender.limit,
                )
                further = judge(contender, measured) if judge else {}
            except Exception as error:  # whatever it is, the others go on
                record.problem = problem(error)
                going.remove(contender)
                print(f": {record.problem}", file=sys.stderr)
            else:
                record.add(measured, {**measured.figures, **further})
                print(f": {min(measured.seconds):.3f} s", file=sys.stderr, flush=True)
                if not number and sum(measured.seconds) > AGAIN:
                    going.remove(contender)
            save(run, stage, [each for each in records.values() if each.calls or each.problem])
    return list(records.values())


def save(run: Run, stage: str, records: Sequence[Record]) -> None:
    """Write a stage's records, whole or not at all."""
    file = run.results / f"{stage}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    written = {"about": run.about(), "records": [asdict(record) for record in records]}
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(written, indent=1), encoding="utf-8")
    os.replace(unfinished, file)


def _command(run: Run, stage: str, contender: Contender) -> list[str]:
    if contender.ours:
        return [sys.executable, "-m", "benchmarks.speed.worker", stage]
    return [str(run.peers), str(PEERS / f"{stage}.py")]


def _least(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)
