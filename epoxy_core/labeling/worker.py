"""The process that calls labeling functions for another one: see `sharing`."""

import dataclasses
import os
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import polars as pl

from epoxy_core.labeling.calls import Caller
from epoxy_core.labeling.fingerprint import fingerprint
from epoxy_core.labeling.load import labeling_functions_in
from epoxy_core.labeling.sharing import Job

Functions = list[Callable[[Any], Any]]


class _LostError(BaseException):
    """A column cannot be had; it must not pass for an error of a labeling function."""


def main() -> None:
    """Answer requests from standard input until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process sees to that
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what labeling functions print
    sys.stdin = open(os.devnull)  # noqa: SIM115
    known: tuple[Job, Functions] | None = None
    caller: Caller | None = None
    try:
        while True:
            request = pickle.load(requests)
            if isinstance(request, Job):
                if known is None or not _same_functions(known[0], request):
                    known = None
                    functions = _functions(request)
                    known = None if functions is None else (request, functions)
                caller = _caller(request, requests, replies)
                _send(replies, known is not None)
            elif known and caller:
                _send(replies, caller.call(known[1], *request))
    except (EOFError, BrokenPipeError):
        return


def _same_functions(one: Job, other: Job) -> bool:
    return dataclasses.replace(one, columns=other.columns) == other


def _functions(job: Job) -> Functions | None:
    """The functions asked for; None if they are not here as they are there."""
    try:
        found = {
            lf.name: dataclasses.replace(lf, folder=job.folder)
            for lf in labeling_functions_in(job.folder, job.file)
        }
        memo: Any = {}
        if any(
            name not in found or fingerprint(found[name], job.classes, memo) != version
            for name, version in job.code_versions.items()
        ):
            return None
    except Exception:  # the file was edited, or needs what is not here: then it is for the other
        return None
    return [found[name].function for name in job.code_versions]


def _caller(job: Job, requests: IO[bytes], replies: IO[bytes]) -> Caller:
    columns: dict[str, pl.Series] = {}

    def load(name: str, first: int, n: int) -> pl.Series:
        if name not in columns:
            try:
                _send(replies, name)
                file: Path = pickle.load(requests)
                columns[name] = pl.read_ipc(file)["column"]
            except Exception as error:
                raise _LostError from error
        return columns[name].slice(first, n)

    return Caller(job.columns, load, job.classes)


def _send(replies: IO[bytes], message: object) -> None:
    pickle.dump(message, replies)
    replies.flush()


if __name__ == "__main__":
    sys.exit("started by epoxy, not by hand")
