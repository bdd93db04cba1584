"""Calls shared out to processes give what calls in this one give."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import LabelingFunction, apply_labeling_functions, per_item, sharing
from epoxy_core.labeling.calls import Answers, Caller
from epoxy_core.labeling.load import load_labeling_functions
from epoxy_core.labeling.sharing import Share, share_out

CLASSES = ["ham", "spam"]

PYTHON = """
import functools
import os
from epoxy_core.labeling import Not, Soft, labeling_function
from helper import votes_for

print("loaded")


@labeling_function
def helped(x):
    return votes_for(x.number)


def made(divisor):
    @labeling_function(name=f"by_{divisor}")
    def f(x):
        if x["odd name"] % divisor == 0:
            raise ValueError(f"{x.item_id} {x}")
        return {1: Soft("spam", 0.75), 2: "nothing"}.get(x.number % divisor)
    return f


closures = [made(divisor) for divisor in (7, 40)]
"""

HELPER = """
def votes_for(number):
    return "spam" if number % 3 else None
"""

ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{row:04d}" for row in range(400)],
        "number": range(400),
        "odd name": range(400),
        "unread": "x",
        "tokens": [[str(row)] for row in range(400)],
    }
)


@pytest.fixture
def lfs(make_task) -> list[LabelingFunction]:
    return load_labeling_functions(make_task(PYTHON, helper_py=HELPER))


def share_of(lfs: list[LabelingFunction], items: pl.DataFrame = ITEMS) -> Share:
    return Share(lfs, items, CLASSES, 0, 10)


def shared(share: Share, processes: int = 2) -> tuple[dict[int, list[Answers]], set[str]]:
    """Answers by first row, and the threads that gave them; another process must give some."""
    items = share.items
    caller = Caller(items.columns, lambda name, first, n: items[name].slice(first, n), CLASSES)
    found, threads, helped = {}, set(), threading.Event()

    def keep(first: int, answers: list[Answers]) -> None:
        found[first] = answers
        threads.add(threading.current_thread().name)
        if threading.current_thread() is not here:
            helped.set()

    def call(functions, first, n):
        end = time.monotonic() + (0.5 if first else 60)
        while not helped.is_set() and not share.stopped and time.monotonic() < end:
            time.sleep(0.01)
        return caller.call(functions, first, n)

    here = threading.current_thread()
    share_out(share, processes, call, keep)
    return found, threads


def test_other_processes_say_the_same(lfs: list[LabelingFunction]) -> None:
    share = share_of(lfs)
    assert share.possible
    found, threads = shared(share)
    assert len(threads) == 2
    assert sorted(found) == list(range(0, 400, 10))
    alone = apply_labeling_functions(lfs, ITEMS, CLASSES)
    for j, result in enumerate(alone):
        answers = [found[first][j] for first in sorted(found)]
        assert np.concatenate([part.votes for part in answers]).tolist() == result.votes.tolist()
        assert sum(part.n_errors for part in answers) == result.n_errors
        texts = [text for part in answers for _, text in part.errors]
        assert texts[:10] == [error.error for error in result.errors]
    assert alone[1].n_errors > 10
    assert "Item({'item_id': 'i0000'" in alone[1].errors[0].error


def test_only_columns_that_are_read_are_handed_over(lfs: list[LabelingFunction]) -> None:
    share = share_of(lfs[:1])
    shared(share)
    assert set(share._written) == {"number"}


def test_a_process_is_kept_and_loads_what_was_edited(make_task, lfs) -> None:
    shared(share_of(lfs))
    (before,) = sharing._idle
    edited = load_labeling_functions(make_task(PYTHON, helper_py=HELPER.replace("spam", "ham")))
    found, _ = shared(share_of(edited[:1]))
    assert sharing._idle == [before]
    assert {vote for part in found.values() for vote in part[0].votes.tolist()} == {0, -1}


def test_functions_that_are_others_there_are_called_here(make_task, lfs) -> None:
    make_task(PYTHON, helper_py=HELPER.replace("% 3", "% 2"))
    caller = Caller(ITEMS.columns, lambda name, first, n: ITEMS[name].slice(first, n), CLASSES)
    threads = set()

    def call(functions, first, n):
        time.sleep(0.05)
        return caller.call(functions, first, n)

    share_out(
        share_of(lfs), 2, call, lambda first, answers: threads.add(threading.current_thread())
    )
    assert threads == {threading.current_thread()}
    assert not share_of([LabelingFunction("f", lambda x: None)]).possible


DEADLY = """
import os, signal
from epoxy_core.labeling import labeling_function

@labeling_function
def deadly(x):
    if os.environ["HERE"] != str(os.getpid()):
        {how}
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [("os.kill(os.getpid(), signal.SIGKILL)", "by signal 9"), ("os._exit(3)", "with code 3")],
)
def test_a_process_that_dies_is_an_error(make_task, monkeypatch, how: str, said: str) -> None:
    monkeypatch.setenv("HERE", str(os.getpid()))
    monkeypatch.setattr(sharing, "_idle", [])
    lfs = load_labeling_functions(make_task(DEADLY.format(how=how)))
    with pytest.raises(EpoxyError, match=f"deadly was ended {said}, on one of the items 'i"):
        shared(share_of(lfs))


def test_an_interrupt_ends_them_all(lfs, monkeypatch) -> None:
    monkeypatch.setattr(sharing, "_idle", [])
    started = []
    take = sharing._take
    monkeypatch.setattr(sharing, "_take", lambda: started.append(take()) or started[-1])

    def call(functions, first, n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        share_out(share_of(lfs), 3, call, lambda first, answers: None)
    assert [worker._process.poll() for worker in started] == [-9, -9]
    assert sharing._idle == []


def test_slow_functions_are_shared_out(make_task, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(per_item, "WORTH_SHARING", 0.0)
    monkeypatch.setattr(sharing, "_SECONDS_EACH", 1e-9)
    lfs = load_labeling_functions(make_task(PYTHON, helper_py=HELPER))
    monkeypatch.setenv(sharing.VARIABLE, "1")
    alone = apply_labeling_functions(lfs, ITEMS, CLASSES)
    monkeypatch.setenv(sharing.VARIABLE, "3")
    result: list = []
    thread = threading.Thread(
        target=lambda: result.extend(apply_labeling_functions(lfs, ITEMS, CLASSES))
    )
    thread.start()
    thread.join()
    for one, two in zip(alone, result, strict=True):
        assert one.same_votes(two)
        assert (one.errors, one.n_errors) == (two.errors, two.n_errors)


def test_a_list_is_every_functions_own() -> None:
    def f(x):
        x.tokens.append("more")
        return "spam" if len(x.tokens) == 2 else None

    lfs = [LabelingFunction("one", f), LabelingFunction("two", f)]
    for result in apply_labeling_functions(lfs, ITEMS, CLASSES):
        assert result.votes.tolist() == [1] * ITEMS.height


def test_an_item_cannot_be_changed() -> None:
    def f(x):
        x.number = 0

    (result,) = apply_labeling_functions([LabelingFunction("f", f)], ITEMS, CLASSES)
    assert result.n_errors == ITEMS.height
    assert "cannot be changed" in result.errors[0].error


@pytest.mark.parametrize("given", ["many", "0", "-1", "1.5"])
def test_a_number_of_processes_that_is_none(monkeypatch, given):
    monkeypatch.setenv(sharing.VARIABLE, given)
    with pytest.raises(EpoxyError, match=sharing.VARIABLE):
        sharing.processes(10)
