"""A digest of code: of what it says, and of every module-level name it reads, transitively.

The task's own functions and classes count by their source; other code by name and version of its
distribution.
"""

import builtins
import json
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.modules import TaskSource
from epoxy_core.labeling.packages import digest, followed, foreign, foreign_module
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
from epoxy_core.labeling.values import BUILTIN_METHODS, MISSING, Memo, ValueEncoder


class Encoder(ValueEncoder):
    """Encodes what one labeling function depends on.

    Parameters
    ----------
    folder, package, memo
        See `ValueEncoder`.
    vote_code
        Encodes a labeling function's ``vote``, so that a class's name and its index are one.
    """

    def __init__(
        self, folder: Path, package: str, memo: Memo, vote_code: Callable[[Any], Any]
    ) -> None:
        super().__init__(folder, package, memo)
        self._vote_code = vote_code

    def code(self, value: Any) -> bytes | None:
        """Digest of a function, class, module or labeling function; None for anything else."""
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.ModuleType):
            return self._module(value)
        return self.labeling_function(value) if isinstance(value, LabelingFunction) else None

    def labeling_function(self, lf: LabelingFunction) -> bytes:
        """Digest of a labeling function: not of its name, but of all that makes its votes."""
        contents = [(lf.folder / file).read_bytes() for file in lf.files]
        with self.through(""):
            function = self.encode(lf.function)
        vote = self.encode(self._vote_code(lf.vote))
        plain = lf.probability is None or lf.probability == 1
        claim = [] if plain else [digest("probability", self.encode(lf.probability))]
        files = [digest("file", content) for content in contents]
        return digest(f"lf {lf.kind}", vote, function, *claim, *files)

    def _function(self, function: Any) -> bytes:
        reference = self._visit(function)
        if reference is not None:
            return reference
        code, namespace = function.__code__, function.__globals__
        captured = self._closure(function)
        if not followed(function.__module__, namespace):
            # A third-party decorator's wrapper holds the user's function; singledispatch's, many.
            inner = vars(function).get("registry", getattr(function, "__wrapped__", None))
            local = "<locals>" in function.__qualname__ and "registry" not in vars(function)
            parts = [foreign(function), self.encode(inner), *(captured() if local else ())]
            return digest("foreign function", *parts)
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
        return digest(
            "function",
            *forms,
            *self._globals(names, uses, namespace),
            *self._imports(bodies, uses, namespace),
            *captured(),
            self.encode(function.__defaults__),
            self.encode(function.__kwdefaults__),
            self.encode(dict(sorted(vars(function).items()))),
        )

    def _closure(self, function: Any) -> Callable[[], list[bytes]]:
        def encoded() -> list[bytes]:
            parts = []
            cells = function.__closure__ or ()
            for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
                try:
                    value = cell.cell_contents
                except ValueError:
                    value = MISSING
                with self.through(name):
                    parts.append(digest(f"free {name}", self.or_missing(value)))
            return parts

        return encoded

    def _globals(
        self, names: Iterable[str], uses: Iterable[tuple[str, Any]], namespace: Mapping[str, Any]
    ) -> list[bytes]:
        parts = []
        for name in sorted(names):
            value = namespace.get(name, MISSING)
            if value is MISSING and hasattr(builtins, name):
                continue
            with self.through(name):
                if isinstance(value, types.ModuleType) and followed(value.__name__, vars(value)):
                    parts += self._attributes(name, value, uses)
                else:
                    parts.append(digest(f"global {name}", self.or_missing(value)))
        return parts

    def _attributes(
        self, name: str, module: types.ModuleType, uses: Iterable[tuple[str, Any]]
    ) -> list[bytes]:
        """Encode what is read off one of the task's modules: not all of it, if that can be told."""
        parts = []
        for _, chain in sorted(use for use in uses if use[0] == name):
            value: Any = module
            read = name
            for attribute in chain:
                if not isinstance(value, types.ModuleType) or not followed(
                    value.__name__, vars(value)
                ):
                    break
                value = getattr(value, attribute, MISSING)
                read += f".{attribute}"
            with self.through(read):
                parts.append(digest(f"global {read}", self.or_missing(value)))
        return parts

    def _imports(
        self, bodies: list[Any], uses: set[tuple[str, Any]], namespace: Mapping[str, Any]
    ) -> list[bytes]:
        """Encode the imports inside a function; the task's own modules are followed."""
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
                parts.append(foreign_module(name))
            elif taken:
                value = getattr(module, taken, MISSING)
                if isinstance(value, types.ModuleType):
                    parts += self._attributes(bound, value, uses)
                else:
                    parts.append(digest(f"import {bound}", self.or_missing(value)))
            else:
                top = sys.modules.get(f"{self.package}.{name.partition('.')[0]}", module)
                parts += self._attributes(bound, module if bound not in name else top, uses)
        return parts

    def _class(self, cls: Any) -> bytes:
        namespace = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
        if not followed(cls.__module__, namespace):
            return digest("foreign class", foreign(cls))
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
        parts = [digest("base", self.encode(base)) for base in cls.__bases__]
        for name, value in held:
            if nodes or not isinstance(value, BUILTIN_METHODS):
                with self.through(f"{cls.__name__}.{name}"):
                    parts.append(digest(f"attribute {name}", self.encode(value)))
        return digest("class", *forms, *self._globals(names, uses, namespace), *parts)

    def _module(self, module: types.ModuleType) -> bytes:
        namespace = vars(module)
        if not followed(module.__name__, namespace):
            return digest("foreign module", foreign_module(module.__name__))
        reference = self._visit(module)
        if reference is not None:
            return reference
        parts = []
        for name in sorted(namespace):
            if not name.startswith("__"):
                with self.through(f"{module.__name__.rpartition('.')[2]}.{name}"):
                    parts.append(digest(f"global {name}", self.encode(namespace[name])))
        return digest("module", *parts)

    def _visit(self, value: object) -> bytes | None:
        """None at the first visit of a function, class or module; then a reference to it."""
        self.context += 1
        if id(value) in self.seen:
            return digest("reference", str(self.seen[id(value)][0]).encode())
        self.seen[id(value)] = (len(self.seen), value)
        return None


def _constants(code: types.CodeType) -> list[Any]:
    """Constants of compiled code whose source is unknown."""
    return [
        [part.co_code, part.co_names, _constants(part)]
        if isinstance(part, types.CodeType)
        else part
        for part in code.co_consts
    ]
