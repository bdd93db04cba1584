"""The first Ctrl-C asks for an end, the second one makes it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(announce: Callable[[], None]) -> Iterator[Event]:
    """An event that the first SIGINT or SIGTERM sets; another one ends the process at once.

    The second does not raise ``KeyboardInterrupt``, which waits for native code to return and
    does not reach other threads: it kills, which every table withstands.

    Parameters
    ----------
    announce
        Called once, in the main thread, at the first signal. The main thread may be anywhere
        then, so it should do nothing but wait.
    """
    stop = Event()

    def ask(*_: object) -> None:
        for sign in SIGNALS:
            signal.signal(sign, signal.SIG_DFL)
        stop.set()
        announce()

    before = {sign: signal.signal(sign, ask) for sign in SIGNALS}
    try:
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
