"""The decorators that make a user's function a labeling function."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.lf import Kind, LabelingFunction, SourceLocation, caller_location
from epoxy_core.labeling.votes import Vote

ItemFunction = Callable[[Any], Any]
ExpressionFunction = Callable[[], pl.Expr]
VectorFunction = Callable[[npt.NDArray[np.float32], pl.DataFrame], Any]

_ARGUMENTS: dict[Kind, tuple[str, str]] = {
    "item": ("x", "the item as its one argument"),
    "expression": ("", "no argument"),
    "vector": ("vectors, items", "the items' vectors and the items as its two arguments"),
}
_LAZY = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)


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


@overload
def vector_labeling_function(function: VectorFunction, /) -> LabelingFunction: ...
@overload
def vector_labeling_function(
    *,
    name: str | None = None,
    vote: Vote | None = None,
    probability: float | None = None,
    files: tuple[str, ...] | list[str] | str = (),
) -> Callable[[VectorFunction], LabelingFunction]: ...
def vector_labeling_function(
    function: VectorFunction | None = None,
    /,
    *,
    name: str | None = None,
    vote: Vote | None = None,
    probability: float | None = None,
    files: tuple[str, ...] | list[str] | str = (),
) -> LabelingFunction | Callable[[VectorFunction], LabelingFunction]:
    """Make a function of the items' embeddings a labeling function.

    It is called once, with the vectors (float32 [n, d], unit rows, not to be written to) and the
    items frame, whose rows they belong to. It gives an array, list or Polars Series of n votes:
    what the expression of `expression_labeling_function` gives, with the same parameters.

    Examples
    --------
    >>> @vector_labeling_function(vote="spam")
    ... def far_from_all(vectors, items):
    ...     return vectors @ vectors.mean(axis=0) < 0.1
    >>> far_from_all.needs_vectors
    True
    """

    def decorate(function: VectorFunction) -> LabelingFunction:
        decorator = "vector_labeling_function"
        return _decorated(function, decorator, "vector", name, files, vote, probability)

    return decorate if function is None else decorate(function)


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
    arguments, wanted = _ARGUMENTS[kind]
    try:
        inspect.signature(function).bind(*filter(None, arguments.split(", ")))
    except TypeError as error:
        raise EpoxyError(
            f"the function must take {wanted}: {error}",
            where=where,
            remedy=f"Write `def {getattr(function, '__name__', 'f')}({arguments}):`.",
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
