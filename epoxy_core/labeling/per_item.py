"""Labeling functions of one item: a call for each, here or shared out to processes."""

import time
from collections.abc import Sequence

import numpy as np
import polars as pl

from epoxy_core.labeling.calls import Answers, Caller
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.result import MAX_ERRORS, LFError, LFResult, result_of
from epoxy_core.labeling.sharing import Share, processes, share_out
from epoxy_core.labeling.votes import ABSTAIN

WORTH_SHARING = 2.0
"""Seconds of work from which on other processes help; one is ready after about half a second."""

_FIRST_ROWS = 8
_MOST_ROWS = 8192
_SECONDS = 0.1
"""Work of one round, after which is asked whether the rest is worth sharing."""


def call_per_item(
    lfs: Sequence[LabelingFunction], items: pl.DataFrame, classes: Sequence[str]
) -> list[LFResult]:
    """Call labeling functions on every item and read what they return.

    A function whose vote depends on how often it was called, or in which order, gives what it
    likes: calls are shared out to several processes where they take long.
    """
    votes = np.full((len(lfs), items.height), ABSTAIN, np.int8)
    strength = np.ones((len(lfs), items.height), np.float32)
    errors: list[dict[int, str]] = [{} for _ in lfs]
    n_errors = [0] * len(lfs)
    caller = Caller(items.columns, lambda name, first, n: items[name].slice(first, n), classes)
    functions = [lf.function for lf in lfs]

    def keep(first: int, answers: Sequence[Answers]) -> None:
        for j, found in enumerate(answers):
            rows = slice(first, first + len(found.votes))
            votes[j, rows] = found.votes
            if found.strength is not None:
                strength[j, rows] = found.strength
            errors[j] |= {first + row: text for row, text in found.errors}
            n_errors[j] += found.n_errors

    done, size = 0, _FIRST_ROWS
    while done < items.height:
        n = min(size, items.height - done)
        here, everywhere = time.thread_time(), time.process_time()
        keep(done, caller.call(functions, done, n))
        here, everywhere = time.thread_time() - here, time.process_time() - everywhere
        done += n
        left = here / n * (items.height - done)
        # What computes in threads of its own has the CPUs already.
        if left > WORTH_SHARING and done > 2 * _FIRST_ROWS and everywhere < 1.5 * here:
            share = Share(lfs, items, classes, done, max(1, int(_SECONDS * n / here)))
            if processes(left) > 1 and share.possible:
                share_out(share, processes(left), caller.call, keep)
                break
        if here < _SECONDS:
            size = min(2 * size, _MOST_ROWS)
    return [
        result_of(
            votes[j],
            strength[j],
            [
                LFError(str(items["item_id"][row]), text)
                for row, text in sorted(errors[j].items())[:MAX_ERRORS]
            ],
            n_errors[j],
        )
        for j in range(len(lfs))
    ]
