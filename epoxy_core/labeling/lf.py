"""Labeling functions: what users write, and the two decorators that make them."""

import inspect
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, overload

import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.votes import Vote

Kind = Literal["item", "expression", "heuristic"]
ItemFunction = Callable[[Any], Any]
ExpressionFunction = Callable[[], pl.Expr]

_LAZY = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
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
        (``expression``); of the task folder, returning one (``heuristic``).
    vote
        The class that a Boolean expression votes for (or, with `Not`, against) where it is true.
    probability
        The probability that an expression's votes are right, by its author; None: plain votes.
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
                f"{self.name!r} is a Polars expression, not a function of one item",
                where=str(self.location or ""),
                remedy="Use apply_labeling_function on a frame of items.",
            )
        return self.function(item)

    def expression(self) -> pl.Expr:
        """Build the Polars expression over the items frame (not for the ``item`` kind)."""
        built = self.function(self.folder) if self.kind == "heuristic" else self.function()
        if not isinstance(built, pl.Expr):
            raise TypeError(f"returned {type(built).__name__}, not a Polars expression")
        return built


@overload
def labeling_function(function: ItemFunction, /) -> LabelingFunction: ...
@overload
def labeling_function(
    *, name: str | None = None, files: tuple[str, ...] | list[str] | str = ()
) -> Callable[[ItemFunction], LabelingFunction]: ...
def labeling_function(
    function: ItemFunction | None = None,
    /,
    *,
    name: str | None = None,
    files: tuple[str, ...] | list[str] | str = (),
) -> LabelingFunction | Callable[[ItemFunction], LabelingFunction]:
    """Make a function of one item a labeling function.

    The item has one attribute per column of the items frame: ``x.text``, ``x.item_id``, …
    (``x["any name"]`` works too). Return a class name, a class index, or ``None``/``ABSTAIN``;
    `Not` a class; or with a probability, `Soft` of one of these or a mapping of classes to
    probabilities, which counts as `Soft` of the most probable one. ``True`` and ``False`` are
    errors of that item: whether ``True`` means class 1 or "the class this function is about" is
    a guess nobody should make.

    Parameters
    ----------
    name
        The function's own name when absent.
    files
        Data files, relative to the task folder, that the function reads when called.

    Examples
    --------
    >>> @labeling_function
    ... def shouts(x):
    ...     return "spam" if x.text.isupper() else None
    >>> shouts.name
    'shouts'
    """

    def decorate(function: ItemFunction) -> LabelingFunction:
        return _decorated(function, "labeling_function", "item", name, files)

    return decorate if function is None else decorate(function)


@overload
def expression_labeling_function(function: ExpressionFunction, /) -> LabelingFunction: ...
@overload
def expression_labeling_function(
    *,
    name: str | None = None,
    vote: Vote | None = None,
    probability: float | None = None,
    files: tuple[str, ...] | list[str] | str = (),
) -> Callable[[ExpressionFunction], LabelingFunction]: ...
def expression_labeling_function(
    function: ExpressionFunction | None = None,
    /,
    *,
    name: str | None = None,
    vote: Vote | None = None,
    probability: float | None = None,
    files: tuple[str, ...] | list[str] | str = (),
) -> LabelingFunction | Callable[[ExpressionFunction], LabelingFunction]:
    """Make a function that returns a Polars expression a labeling function.

    The expression sees the whole items frame at once, which is many times faster than a call
    per item. It gives a class name, a class index or null per item; or, with ``vote=``, a
    Boolean: true votes that class, false and null abstain. For probabilities that differ from
    item to item, it gives a struct of the fields ``vote`` (one of the former) and ``probability``.

    Parameters
    ----------
    name
        The function's own name when absent.
    vote
        The class a Boolean expression votes for; with `Not`, against.
    probability
        One probability of all its votes, as in `Soft`.
    files
        Data files, relative to the task folder, that the function reads when called.

    Examples
    --------
    >>> @expression_labeling_function(vote="ham")
    ... def short():
    ...     return pl.col("text").str.len_chars() < 20
    >>> short.vote
    'ham'
    """

    def decorate(function: ExpressionFunction) -> LabelingFunction:
        decorator = "expression_labeling_function"
        return _decorated(function, decorator, "expression", name, files, vote, probability)

    return decorate if function is None else decorate(function)


def caller_location() -> SourceLocation | None:
    """Find the nearest line outside this package on the call stack."""
    frame = sys._getframe(1)
    here = str(Path(__file__).parent)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return SourceLocation(Path(frame.f_code.co_filename), frame.f_lineno)


def _decorated(
    function: Callable[..., Any],
    decorator: str,
    kind: Kind,
    name: str | None,
    files: tuple[str, ...] | list[str] | str,
    vote: Vote | None = None,
    probability: float | None = None,
) -> LabelingFunction:
    where = str(caller_location())
    if isinstance(function, LabelingFunction):
        raise EpoxyError(
            f"{function.name!r} is a labeling function already",
            where=where,
            remedy=f"Use one decorator, and put other decorators below @{decorator}.",
        )
    if not callable(function) or isinstance(function, type):
        raise EpoxyError(
            f"{decorator} decorates a function, not {function!r}",
            where=where,
            remedy=f"Write @{decorator} or @{decorator}(name='…') above a def.",
        )
    if any(is_lazy(function) for is_lazy in _LAZY):
        raise EpoxyError(
            f"{function.__name__!r} is async or a generator: calling it gives no vote",
            where=where,
            remedy="Write a plain `def` that returns a vote.",
        )
    takes = 1 if kind == "item" else 0
    try:
        inspect.signature(function).bind(*[None] * takes)
    except TypeError as error:
        wanted = "the item as its one argument" if takes else "no argument"
        raise EpoxyError(
            f"the function must take {wanted}: {error}",
            where=where,
            remedy=f"Write `def {getattr(function, '__name__', 'f')}({'x' * takes}):`.",
        ) from error
    except ValueError:
        pass  # a builtin without a signature
    code = getattr(inspect.unwrap(function), "__code__", None)
    return LabelingFunction(
        name=name or str(getattr(function, "__name__", "")),
        function=function,
        kind=kind,
        vote=vote,
        probability=probability,
        files=(files,) if isinstance(files, str) else tuple(files),
        description=(inspect.getdoc(function) or "").partition("\n")[0],
        location=SourceLocation(Path(code.co_filename), code.co_firstlineno)
        if code
        else caller_location(),
    )
