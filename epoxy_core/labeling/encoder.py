"""A digest of any Python value that is the same in every process.

Data count by content, the task's own functions and classes by what their source says and by every
module-level name they read, transitively; other code by name and version of its distribution.
"""

import builtins
import copyreg
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.modules import TaskSource
from epoxy_core.labeling.syntax import (
    class_attributes,
    class_globals,
    class_nodes,
    function_nodes,
    global_names,
    imports_of,
    module_tree,
    normal_form,
    uses_of,
)

_OWN = ("epoxy_core.labeling.expressions", "epoxy_core.labeling.tables")
_SCALARS = (type(None), bool, float, complex, type(...), type(NotImplemented))
_BUILTIN_METHODS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_MISSING = object()

Memo = dict[int, tuple[object, bytes]]


class Opaque(Exception):
    """A value whose content cannot be told."""

    def __init__(self, trail: list[str], value: object, reason: str) -> None:
        self.trail = trail
        self.value = value
        super().__init__(reason)


class Encoder:
    """Encodes the values one labeling function depends on.

    Parameters
    ----------
    folder
        The task folder: paths below it count relative to it.
    package
        The name the task's modules stand under, which depends on the folder.
    vote_code
        Encodes a labeling function's ``vote``, so that a class's name and its index are one.
    memo
        Digests of data shared by the labeling functions of one load.
    """

    def __init__(
        self, folder: Path, package: str, vote_code: Callable[[Any], Any], memo: Memo
    ) -> None:
        self._folder = str(folder)
        self._package = package
        self._vote_code = vote_code
        self._memo = memo
        self._seen: dict[int, tuple[int, object]] = {}
        self._open: list[int] = []
        self._trail: list[str] = []
        self._context = 0

    def encode(self, value: Any) -> bytes:
        """Digest of a value.

        Raises
        ------
        Opaque
            If neither its type nor its pickling protocol tells the content.
        """
        kind = type(value)
        if kind is str:
            return _digest("str", self._portable(value).encode("utf-8", "surrogatepass"))
        if kind is int:
            return _digest("int", hex(value).encode())
        if kind in _SCALARS:
            return _digest(kind.__name__, repr(value).encode())
        if kind in (bytes, bytearray):
            return _digest(kind.__name__, bytes(value))
        if isinstance(value, PurePath):
            return _digest("path", self._portable(str(value)).encode("utf-8", "surrogatepass"))
        if kind is re.Pattern:
            return _digest("regex", self.encode(value.pattern), self.encode(value.flags))
        known = self._memo.get(id(value))
        if known is not None:
            return known[1]
        if id(value) in self._open:
            self._context += 1
            return _digest("cycle", str(self._open.index(id(value))).encode())
        before = self._context
        self._open.append(id(value))
        try:
            digest = self._structure(value)
        finally:
            self._open.pop()
        if self._context == before:
            self._memo[id(value)] = (value, digest)
        return digest

    def _structure(self, value: Any) -> bytes:
        kind = type(value)
        if kind in (list, tuple):
            return _digest(kind.__name__, *map(self.encode, value))
        if kind in (dict, types.MappingProxyType):
            return _digest("dict", *(self.encode(part) for pair in value.items() for part in pair))
        if isinstance(value, (set, frozenset)):
            return self._set(value)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, LabelingFunction):
            return self.labeling_function(value)
        if isinstance(value, functools.partial):
            return _digest("partial", *map(self.encode, (value.func, value.args, value.keywords)))
        if isinstance(value, types.MethodType):
            return _digest("method", self.encode(value.__func__), self.encode(value.__self__))
        if isinstance(value, types.BuiltinFunctionType):
            return self._builtin(value)
        if isinstance(value, _BUILTIN_METHODS):
            owner = self.encode(value.__objclass__)
            return _digest("descriptor", owner, value.__name__.encode())
        if isinstance(value, (staticmethod, classmethod)):
            return _digest(kind.__name__, self.encode(value.__func__))
        if isinstance(value, property):
            return _digest("property", *map(self.encode, (value.fget, value.fset, value.fdel)))
        if isinstance(value, functools.cached_property):
            return _digest("cached", self.encode(value.func))
        if kind.__name__ == "_lru_cache_wrapper":
            return _digest("cache", self.encode(value.__wrapped__))
        return self._object(value)

    def labeling_function(self, lf: LabelingFunction) -> bytes:
        """Digest of a labeling function: not of its name, but of all that makes its votes."""
        contents = [(lf.folder / file).read_bytes() for file in lf.files]
        with self._through(""):
            function = self.encode(lf.function)
        vote = self.encode(self._vote_code(lf.vote))
        return _digest(f"lf {lf.kind}", vote, function, *(_digest("file", c) for c in contents))

    def _set(self, value: Iterable[Any]) -> bytes:
        start, digests = dict(self._seen), []
        for element in value:
            self._seen = dict(start)
            digests.append(self.encode(element))
        self._seen = start
        return _digest(type(value).__name__, *sorted(digests))

    def _function(self, function: Any) -> bytes:
        reference = self._visit(function)
        if reference is not None:
            return reference
        code, namespace = function.__code__, function.__globals__
        captured = self._closure(function)
        if not _followed(function.__module__, namespace):
            # A third-party decorator's wrapper holds the user's function; singledispatch's, many.
            inner = vars(function).get("registry", getattr(function, "__wrapped__", None))
            local = "<locals>" in function.__qualname__ and "registry" not in vars(function)
            parts = [_foreign(function), self.encode(inner), *(captured() if local else ())]
            return _digest("foreign function", *parts)
        tree = module_tree(namespace, code.co_filename)
        nodes = function_nodes(tree, code) if tree else []
        forms = [json.dumps(normal_form(node)).encode() for node in nodes]
        bodies: list[Any] = []
        for node in nodes:
            bodies += node.body if isinstance(node.body, list) else [node.body]
        names = global_names(code)
        uses = {use for body in bodies for use in uses_of(body)}
        if nodes:
            names &= {name for name, _ in uses}
        else:
            forms = [code.co_code, self.encode(_constants(code)), self.encode(code.co_names)]
        return _digest(
            "function",
            *forms,
            *self._globals(names, uses, namespace),
            *self._imports(bodies, uses, namespace),
            *captured(),
            self.encode(function.__defaults__),
            self.encode(function.__kwdefaults__),
            self.encode({key: value for key, value in sorted(vars(function).items())}),
        )

    def _closure(self, function: Any) -> Callable[[], list[bytes]]:
        def encoded() -> list[bytes]:
            parts = []
            cells = function.__closure__ or ()
            for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
                try:
                    value = cell.cell_contents
                except ValueError:
                    value = _MISSING
                with self._through(name):
                    parts.append(_digest(f"free {name}", self._or_missing(value)))
            return parts

        return encoded

    def _globals(
        self, names: Iterable[str], uses: Iterable[tuple[str, Any]], namespace: Mapping[str, Any]
    ) -> list[bytes]:
        parts = []
        for name in sorted(names):
            value = namespace.get(name, _MISSING)
            if value is _MISSING and hasattr(builtins, name):
                continue
            with self._through(name):
                if isinstance(value, types.ModuleType) and _followed(value.__name__, vars(value)):
                    parts += self._attributes(name, value, uses)
                else:
                    parts.append(_digest(f"global {name}", self._or_missing(value)))
        return parts

    def _attributes(
        self, name: str, module: types.ModuleType, uses: Iterable[tuple[str, Any]]
    ) -> list[bytes]:
        """What is read off one of the task's modules: not all of it, if that can be told."""
        parts = []
        for _, chain in sorted(use for use in uses if use[0] == name):
            value: Any = module
            read = name
            for attribute in chain:
                if not isinstance(value, types.ModuleType) or not _followed(
                    value.__name__, vars(value)
                ):
                    break
                value = getattr(value, attribute, _MISSING)
                read += f".{attribute}"
            with self._through(read):
                parts.append(_digest(f"global {read}", self._or_missing(value)))
        return parts

    def _imports(
        self, bodies: list[Any], uses: set[tuple[str, Any]], namespace: Mapping[str, Any]
    ) -> list[bytes]:
        """Imports inside a function; the task's own modules are followed."""
        parts = []
        source = namespace.get("__loader__")
        for name, level, taken, bound in [found for body in bodies for found in imports_of(body)]:
            names = [taken] if taken else []
            module = (
                source.modules.resolve(name, names, level, namespace)
                if isinstance(source, TaskSource)
                else None
            )
            if module is None:
                parts.append(_foreign_module(name))
            elif taken:
                value = getattr(module, taken, _MISSING)
                if isinstance(value, types.ModuleType):
                    parts += self._attributes(bound, value, uses)
                else:
                    parts.append(_digest(f"import {bound}", self._or_missing(value)))
            else:
                top = sys.modules.get(f"{self._package}.{name.partition('.')[0]}", module)
                parts += self._attributes(bound, module if bound not in name else top, uses)
        return parts

    def _class(self, cls: Any) -> bytes:
        namespace = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
        if not _followed(cls.__module__, namespace):
            return _digest("foreign class", _foreign(cls))
        reference = self._visit(cls)
        if reference is not None:
            return reference
        tree = module_tree(namespace, str(namespace.get("__file__", "")))
        nodes = class_nodes(tree, cls.__qualname__) if tree else []
        forms = [json.dumps(normal_form(node)).encode() for node in nodes]
        names = {name for node in nodes for name in class_globals(node)} & set(namespace)
        uses = {use for node in nodes for use in uses_of(node)}
        attributes = {name for node in nodes for name in class_attributes(node)}
        if not nodes:
            attributes = {name for name in vars(cls) if not name.startswith("_")}
            attributes |= {"_fields", "__match_args__"}
        own = vars(cls)
        held = [(name, own[name]) for name in sorted(attributes) if name in own]
        parts = [_digest("base", self.encode(base)) for base in cls.__bases__]
        for name, value in held:
            if nodes or not isinstance(value, _BUILTIN_METHODS):
                with self._through(f"{cls.__name__}.{name}"):
                    parts.append(_digest(f"attribute {name}", self.encode(value)))
        return _digest("class", *forms, *self._globals(names, uses, namespace), *parts)

    def _module(self, module: types.ModuleType) -> bytes:
        namespace = vars(module)
        if not _followed(module.__name__, namespace):
            return _digest("foreign module", _foreign_module(module.__name__))
        reference = self._visit(module)
        if reference is not None:
            return reference
        parts = []
        for name in sorted(namespace):
            if not name.startswith("__"):
                with self._through(f"{module.__name__.rpartition('.')[2]}.{name}"):
                    parts.append(_digest(f"global {name}", self.encode(namespace[name])))
        return _digest("module", *parts)

    def _builtin(self, function: Any) -> bytes:
        owner = function.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            return _digest("foreign function", _foreign(function))
        return _digest("builtin method", self.encode(owner), function.__name__.encode())

    def _object(self, value: Any) -> bytes:
        """Any other object, by what pickle would keep of it."""
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            reduced = reducer(value) if reducer else value.__reduce_ex__(4)
        except Exception as error:
            raise Opaque(list(self._trail), value, str(error)) from error
        if isinstance(reduced, str):
            module = getattr(value, "__module__", None) or type(value).__module__
            return _digest("named", _foreign_module(module), reduced.encode())
        make, arguments, state, items, pairs, *_ = (*reduced, None, None, None)
        parts = (make, arguments, state, list(items or ()), list(pairs or ()))
        return _digest("object", *map(self.encode, parts))

    def _visit(self, value: object) -> bytes | None:
        """None at the first visit of a function, class or module; then a reference to it."""
        self._context += 1
        if id(value) in self._seen:
            return _digest("reference", str(self._seen[id(value)][0]).encode())
        self._seen[id(value)] = (len(self._seen), value)
        return None

    def _or_missing(self, value: Any) -> bytes:
        return _digest("missing") if value is _MISSING else self.encode(value)

    def _portable(self, text: str) -> str:
        """Text without the absolute path of the task folder and what derives from it."""
        if text == self._folder or text.startswith(f"{self._folder}/"):
            return f"<task folder>{text[len(self._folder):]}"
        return f"<task>{text.removeprefix(self._package)}" if text.startswith(self._package) else text

    @contextmanager
    def _through(self, name: str) -> Any:
        self._trail.append(name)
        try:
            yield
        finally:
            self._trail.pop()


@functools.cache
def version(package: str) -> str | None:
    """Version of the distribution that holds a top-level package; None if there is none."""
    if package in sys.stdlib_module_names:
        return f"python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        owners = importlib.metadata.packages_distributions().get(package)
    return importlib.metadata.version(owners[0]) if owners else None


def _followed(module: str | None, namespace: Mapping[str, Any]) -> bool:
    """Whether code counts by its source: the task's, and code that has no version."""
    if isinstance(namespace.get("__loader__"), TaskSource) or module in _OWN:
        return True
    top = (module or "builtins").partition(".")[0]
    return top != "epoxy_core" and version(top) is None


def _foreign(value: Any) -> bytes:
    module = value.__module__ or "builtins"
    return _digest("foreign", _foreign_module(module), value.__qualname__.encode())


def _foreign_module(name: str) -> bytes:
    top = name.partition(".")[0]
    if top in ("builtins", "epoxy_core"):
        return _digest("module", name.encode())
    found = version(top)
    if found is None:
        spec = importlib.util.find_spec(top)
        origin = Path(spec.origin) if spec and spec.origin else Path()
        found = hashlib.blake2b(origin.read_bytes()).hexdigest() if origin.is_file() else "unknown"
    return _digest("module", name.encode(), found.encode())


def _constants(code: types.CodeType) -> list[Any]:
    """Constants of compiled code whose source is unknown."""
    return [
        [part.co_code, part.co_names, _constants(part)] if isinstance(part, types.CodeType) else part
        for part in code.co_consts
    ]


def _digest(tag: str, *parts: bytes) -> bytes:
    state = hashlib.blake2b(tag.encode(), digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()
