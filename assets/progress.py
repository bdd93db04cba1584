"""Progress of a long step: a bar on a terminal, lines in Dagster's log elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

LOG_EVERY = 15.0
"""Seconds between two lines in the log."""


@contextmanager
def progress(context: dg.AssetExecutionContext, what: str) -> Iterator[Callable[[int, int], None]]:
    """A callback ``(done, total)`` that shows how far ``what`` is and how long it will take."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            shown = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(shown, completed=done, total=total)
    else:
        yield _Logged(context, what)


class _Logged:
    def __init__(self, context: dg.AssetExecutionContext, what: str) -> None:
        self.context, self.what = context, what
        self.start = self.last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done and now - self.last >= LOG_EVERY:
            self.last = now
            left = (now - self.start) / done * (total - done)
            self.context.log.info(f"{self.what}: {done} of {total}, about {left:.0f} s left")
