"""Labeling functions: what they are made of."""

import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.votes import Vote

Kind = Literal["item", "expression", "heuristic", "vector", "vector_heuristic"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

created: ContextVar[list["LabelingFunction"] | None] = ContextVar("created", default=None)
"""Collects the labeling functions made while a task's file is executed."""


class SourceLocation(NamedTuple):
    """Where a labeling function is written."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, eq=False)
class LabelingFunction:
    """A named heuristic that votes a class or abstains.

    Parameters
    ----------
    name
        A Python identifier, unique in the task.
    function
        By ``kind``: of one item (``item``); of nothing, returning a Polars expression
        (``expression``); of the task folder, returning one (``heuristic``); of the items' vectors
        and the items frame, returning votes (``vector``); of the task folder, the `VectorSpace`
        and the items frame, returning Booleans (``vector_heuristic``).
    vote
        The class that Booleans vote for (or, with `Not`, against) where they are true.
    probability
        The probability that all its votes are right, by its author; None: plain votes.
    files
        Data files, relative to the task folder, whose content may change the votes.
    description
        First line of the docstring, or the heuristic's settings in words.
    location
        File and line of its definition.
    folder
        The task folder. Set by `load_labeling_functions`, as is ``code_version``.
    code_version
        Digest of everything that can change the votes (see `fingerprint`).
    loaded_from
        The task's file that makes it when it is loaded, maybe by way of others; None: no file.

    Raises
    ------
    EpoxyError
        If the name is not a Python identifier of ASCII letters, digits and underscores.
    """

    name: str
    function: Callable[..., Any]
    kind: Kind = "item"
    vote: Vote | None = None
    probability: float | None = None
    files: tuple[str, ...] = ()
    description: str = ""
    location: SourceLocation | None = None
    folder: Path = Path()
    code_version: str = ""
    loaded_from: Path | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise EpoxyError(
                f"{self.name!r} is not a name for a labeling function",
                where=str(self.location or ""),
                remedy="Use letters, digits and underscores, not starting with a digit: "
                "name='free_prize'. A lambda needs a name.",
            )
        collected = created.get()
        if collected is not None:
            collected.append(self)

    def __call__(self, item: Any) -> Any:
        """Vote on one item, as in the user's file (``item`` kind only)."""
        if self.kind != "item":
            raise EpoxyError(
                f"{self.name!r} looks at all items at once: it is not a function of one item",
                where=str(self.location or ""),
                remedy="Use apply_labeling_function on a frame of items.",
            )
        return self.function(item)

    @property
    def needs_vectors(self) -> bool:
        """Whether it votes by the items' embeddings."""
        return self.kind in ("vector", "vector_heuristic")

    def expression(self) -> pl.Expr:
        """Build the Polars expression over the items frame (``expression``, ``heuristic``)."""
        built = self.function(self.folder) if self.kind == "heuristic" else self.function()
        if not isinstance(built, pl.Expr):
            raise TypeError(f"returned {type(built).__name__}, not a Polars expression")
        return built


def caller_location() -> SourceLocation | None:
    """Find the nearest line outside this package on the call stack."""
    frame = sys._getframe(1)
    here = str(Path(__file__).parent)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return SourceLocation(Path(frame.f_code.co_filename), frame.f_lineno)
