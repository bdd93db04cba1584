"""A digest of data and objects that is the same in every process."""

import copyreg
import functools
import re
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from epoxy_core.labeling.packages import digest, foreign, foreign_module

_SCALARS = (type(None), bool, float, complex, type(...), type(NotImplemented))
BUILTIN_METHODS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
MISSING = object()

Memo = dict[int, tuple[object, bytes]]


class OpaqueError(Exception):
    """A value whose content cannot be told."""

    def __init__(self, trail: list[str], value: object, reason: str) -> None:
        self.trail = trail
        self.value = value
        super().__init__(reason)


class ValueEncoder:
    """Encodes data and objects; code is left to a subclass.

    Parameters
    ----------
    folder
        The task folder: paths below it count relative to it.
    package
        The name the task's modules stand under, which depends on the folder.
    memo
        Digests of data shared by the labeling functions of one load.
    """

    def __init__(self, folder: Path, package: str, memo: Memo) -> None:
        self._folder = str(folder)
        self.package = package
        self._memo = memo
        self.seen: dict[int, tuple[int, object]] = {}
        self._open: list[int] = []
        self._trail: list[str] = []
        self.context = 0

    def encode(self, value: Any) -> bytes:
        """Digest of a value.

        Raises
        ------
        OpaqueError
            If neither its type nor its pickling protocol tells the content.
        """
        kind = type(value)
        if kind is str:
            return digest("str", self._portable(value).encode("utf-8", "surrogatepass"))
        if kind is int:
            return digest("int", hex(value).encode())
        if kind in _SCALARS:
            return digest(kind.__name__, repr(value).encode())
        if kind in (bytes, bytearray):
            return digest(kind.__name__, bytes(value))
        if isinstance(value, PurePath):
            return digest("path", self._portable(str(value)).encode("utf-8", "surrogatepass"))
        if kind is re.Pattern:
            return digest("regex", self.encode(value.pattern), self.encode(value.flags))
        known = self._memo.get(id(value))
        if known is not None:
            return known[1]
        if id(value) in self._open:
            self.context += 1
            return digest("cycle", str(self._open.index(id(value))).encode())
        before = self.context
        self._open.append(id(value))
        try:
            found = self._structure(value)
        finally:
            self._open.pop()
        if self.context == before:
            self._memo[id(value)] = (value, found)
        return found

    def _structure(self, value: Any) -> bytes:
        kind = type(value)
        if kind in (list, tuple):
            return digest(kind.__name__, *map(self.encode, value))
        if kind in (dict, types.MappingProxyType):
            return digest("dict", *(self.encode(part) for pair in value.items() for part in pair))
        for kinds, parts in _WRAPPERS.items():
            if isinstance(value, kinds):
                return digest(kind.__name__, *map(self.encode, parts(value)))
        if isinstance(value, (set, frozenset)):
            return self._set(value)
        if isinstance(value, types.BuiltinFunctionType):
            return self._builtin(value)
        coded = self.code(value)
        return self._object(value) if coded is None else coded

    def code(self, value: Any) -> bytes | None:
        """Digest of a function, class or module; None for anything else."""
        raise NotImplementedError

    def _set(self, value: Iterable[Any]) -> bytes:
        """Each element starts from the same state, so that their order has no effect."""
        start, digests = dict(self.seen), []
        for element in value:
            self.seen = dict(start)
            digests.append(self.encode(element))
        self.seen = start
        own = () if type(value) in (set, frozenset) else (type(value), vars(value))
        return digest(type(value).__name__, *map(self.encode, own), *sorted(digests))

    def _builtin(self, function: Any) -> bytes:
        owner = function.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            return digest("foreign function", foreign(function))
        return digest("builtin method", self.encode(owner), function.__name__.encode())

    def _object(self, value: Any) -> bytes:
        """Any other object, by what pickle would keep of it."""
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            reduced: Any = reducer(value) if reducer else value.__reduce_ex__(4)
        except Exception as error:
            raise OpaqueError(list(self._trail), value, str(error)) from error
        if isinstance(reduced, str):
            module = getattr(value, "__module__", None) or type(value).__module__
            return digest("named", foreign_module(module), reduced.encode())
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        parts = (make, arguments, state, list(items or ()), list(pairs or ()))
        return digest("object", *map(self.encode, parts))

    def or_missing(self, value: Any) -> bytes:
        """Digest of a value, or of there being none (`MISSING`)."""
        return digest("missing") if value is MISSING else self.encode(value)

    def _portable(self, text: str) -> str:
        """Text without the absolute path of the task folder and what derives from it."""
        if text == self._folder or text.startswith(f"{self._folder}/"):
            return f"<task folder>{text[len(self._folder) :]}"
        return f"<task>{text.removeprefix(self.package)}" if text.startswith(self.package) else text

    @contextmanager
    def through(self, name: str) -> Iterator[None]:
        """Remember, for errors, which name led to a value."""
        self._trail.append(name)
        try:
            yield
        finally:
            self._trail.pop()


_WRAPPERS: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    functools.partial: lambda value: (value.func, value.args, value.keywords),
    types.MethodType: lambda value: (value.__func__, value.__self__),
    BUILTIN_METHODS: lambda value: (value.__objclass__, value.__name__),
    (staticmethod, classmethod): lambda value: (value.__func__,),
    property: lambda value: (value.fget, value.fset, value.fdel),
    functools.cached_property: lambda value: (value.func,),
    type(functools.cache(int)): lambda value: (value.__wrapped__,),
}
