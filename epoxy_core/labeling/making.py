"""What all ready-made heuristics are made with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.lf import Kind, LabelingFunction, caller_location
from epoxy_core.labeling.tables import refuse
from epoxy_core.labeling.votes import Vote

_LONGEST_DESCRIPTION = 100


def heuristic(
    name: str,
    vote: Vote | None,
    probability: float | None,
    function: Callable[..., Any],
    description: str,
    files: tuple[str, ...] = (),
    kind: Kind = "heuristic",
) -> LabelingFunction:
    """Make the labeling function; see there for the parameters."""
    long = len(description) > _LONGEST_DESCRIPTION
    return LabelingFunction(
        name=name,
        function=function,
        kind=kind,
        vote=vote,
        probability=probability,
        files=files,
        description=f"{description[: _LONGEST_DESCRIPTION - 1]}…" if long else description,
        location=caller_location(),
    )


def exactly_one(**given: object) -> None:
    """Raise `EpoxyError` unless one of the settings is given, and the others are None."""
    if sum(value is not None for value in given.values()) != 1:
        *most, last = (f"`{name}`" for name in given)
        refuse(f"give exactly one of {', '.join(most)} and {last}", "Remove one, or add one.")


def check_bounds(low: float | None, high: float | None, what: str) -> None:
    """Raise `EpoxyError` if neither bound is given, or nothing lies between them."""
    if low is None and high is None:
        refuse("neither `min` nor `max` is given", "Give one or both.")
    if low is not None and high is not None and not low <= high:
        refuse(f"no {what} from {low} to {high}", "Swap or widen them.")


def in_words(low: float | None, high: float | None) -> str:
    """``0.1 to …``."""
    return " to ".join("…" if bound is None else str(bound) for bound in (low, high))


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Add the heuristic's name to an `EpoxyError`."""
    try:
        yield
    except EpoxyError as error:
        where = f"heuristic {name!r}{', ' + error.where if error.where else ''}"
        raise EpoxyError(error.problem, where=where, remedy=error.remedy) from error
