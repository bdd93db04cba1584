"""Pictures decoded ahead, in a thread of their own, while others are encoded."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

_POLL = 0.1


@dataclass(frozen=True)
class _End:
    problem: BaseException | None


class Ahead(Generic[Thing]):
    """An iterator whose things are made in a background thread, a bounded number ahead.

    A context manager: the thread has ended when the context is left, for whatever reason, and
    the generator that makes the things is closed.

    Parameters
    ----------
    make
        Called in the thread; gives the things. What it raises is raised where they are used,
        after everything that was made before.
    most
        How many things may wait.
    """

    def __init__(self, make: Callable[[], Generator[Thing, None, None]], most: int) -> None:
        self._queue: queue.Queue[Thing | _End] = queue.Queue(most)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(make,), name="epoxy-decode", daemon=True
        )

    def __enter__(self) -> "Ahead[Thing]":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Thing]:
        while not isinstance(thing := self._queue.get(), _End):
            yield thing
        if thing.problem is not None:
            raise thing.problem

    def _work(self, make: Callable[[], Generator[Thing, None, None]]) -> None:
        problem: BaseException | None = None
        try:
            things = make()
            with closing(things):
                for thing in things:
                    if not self._put(thing):
                        return
        except BaseException as error:  # handed over whatever it is: nobody else would see it
            problem = error
        self._put(_End(problem))

    def _put(self, thing: "Thing | _End") -> bool:
        """Wait for room; False when nobody wants more."""
        while not self._stop.is_set():
            try:
                self._queue.put(thing, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False


def batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Group things; what came before an exception is still given, then it is raised."""
    batch: list[Thing] = []
    problem: Exception | None = None
    source = iter(things)
    while True:
        try:
            batch.append(next(source))
        except StopIteration:
            break
        except Exception as error:
            problem = error
            break
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
    if problem is not None:
        raise problem
