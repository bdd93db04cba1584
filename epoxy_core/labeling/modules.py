"""A task's Python files, loaded so that no task and no earlier version of one gets in the way.

``import helpers`` in a task's file finds ``helpers.py`` in the task folder, at any time (also
inside a function that runs later), without ``sys.path``: the files run with an ``__import__`` of
their own. In ``sys.modules`` they stand under a name that belongs to the folder alone, replaced
on each load. Nothing is cached on disk: a ``.pyc`` would hide an edit within the same second.
"""

import ast
import builtins
import functools
import hashlib
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TaskSource:
    """The source a task's module was made from; it is the module's ``__loader__``."""

    text: str
    file: Path
    modules: "TaskModules"

    def get_source(self, name: str) -> str:
        """PEP 302: lets tracebacks show the lines that ran."""
        return self.text

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)


class TaskModules:
    """The modules of one task folder, of one load."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = self.package_of(folder)
        self._loaded: dict[str, types.ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}
        for name in [name for name in sys.modules if name.startswith(f"{self.package}.")]:
            del sys.modules[name]

    @staticmethod
    def package_of(folder: Path) -> str:
        """Name what the modules of a task folder stand under in ``sys.modules``."""
        return f"_epoxy_task_{hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()}"

    def load(self, name: str) -> types.ModuleType:
        """Give the module of a file of the folder by dotted name, executed once.

        Raises
        ------
        ModuleNotFoundError
            If the folder has no such file. Whatever the file raises passes through.
        """
        parent, _, leaf = name.rpartition(".")
        if parent:
            self.load(parent)
        if name in self._loaded:
            return self._loaded[name]
        file = self._file(name)
        if file is None:
            raise ModuleNotFoundError(f"no module {name!r} in {self.folder}", name=name)
        module = types.ModuleType(f"{self.package}.{name}")
        text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
        is_package = file.name == "__init__.py" or file.is_dir()
        vars(module).update(
            __file__=str(file),
            __loader__=TaskSource(text, file, self),
            __package__=f"{self.package}.{name if is_package else parent}".rstrip("."),
            __builtins__=self._builtins,
        )
        if is_package:
            module.__path__ = [str(file if file.is_dir() else file.parent)]
        self._loaded[name] = sys.modules[module.__name__] = module
        try:
            exec(compile(text, str(file), "exec", dont_inherit=True), vars(module))
        except BaseException:
            del self._loaded[name], sys.modules[module.__name__]
            raise
        if parent:
            setattr(self._loaded[parent], leaf, module)
        return module

    def has(self, name: str) -> bool:
        """Whether the folder has a file for the module of that dotted name."""
        return self._file(name) is not None

    def _file(self, name: str) -> Path | None:
        path = self.folder.joinpath(*name.split("."))
        for file in (path / "__init__.py", path.parent / f"{path.name}.py"):
            if file.is_file():
                return file
        return path if path.is_dir() and any(path.glob("*.py")) else None

    def resolve(
        self, name: str, names: Sequence[str], level: int, namespace: Mapping[str, object]
    ) -> types.ModuleType | None:
        """Find the task's module that an import takes ``names`` from; None if it is not the task's.

        Raises
        ------
        ImportError
            If a relative import leaves the task folder. What the file raises passes through.
        """
        if level:
            package = str(namespace.get("__package__", "")).split(".")[1:]
            if level - 1 > len(package):
                raise ImportError("attempted relative import beyond the task folder")
            name = ".".join([*package[: len(package) - level + 1], *filter(None, [name])])
        elif not self.has(name.partition(".")[0]):
            return None
        module = self.load(name) if name else types.ModuleType(self.package)
        for entry in names:
            below = f"{name}.{entry}".lstrip(".")
            if not hasattr(module, entry) and self.has(below):
                setattr(module, entry, self.load(below))
        return module

    def _import(
        self,
        name: str,
        namespace: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Import for the task's files (see `builtins.__import__`)."""
        module = self.resolve(name, fromlist or (), level, namespace or {})
        if module is None:
            return builtins.__import__(name, namespace, local, fromlist or (), level)
        return module if fromlist else self._loaded[name.partition(".")[0]]
