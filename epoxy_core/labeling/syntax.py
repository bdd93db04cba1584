"""What Python source says, without how it is written: the part of an AST that can matter."""

import ast
import dis
import functools
import linecache
import types
from collections.abc import Iterator, Mapping
from typing import Any

from epoxy_core.labeling.modules import TaskSource

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While)
_GLOBAL_READS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}


def module_tree(namespace: Mapping[str, Any], file: str) -> ast.Module | None:
    """Parse the module with these globals as it was when it was loaded, if that is known."""
    loader = namespace.get("__loader__")
    if isinstance(loader, TaskSource):
        return loader.tree
    linecache.checkcache(file)
    lines = linecache.getlines(file, dict(namespace))
    return _parsed("".join(lines)) if lines else None


def function_nodes(tree: ast.Module, code: types.CodeType) -> list[FunctionNode]:
    """Find the node ``code`` was compiled from; several only if they cannot be told apart."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, _FUNCTIONS):
            continue
        decorators = getattr(node, "decorator_list", [])
        line = decorators[0].lineno if decorators else node.lineno
        if line == code.co_firstlineno and getattr(node, "name", "<lambda>") == code.co_name:
            found.append(node)
    if len(found) < 2:
        return found
    spots = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if None not in (line, end_line, column, end_column) and (column, end_column) != (0, 0)
    ]
    around = [node for node in found if all(_contains(node, *spot) for spot in spots)]
    return [min(around, key=_extent)] if around and spots else found


def class_nodes(tree: ast.Module, qualname: str) -> list[ast.ClassDef]:
    """Find the definitions of a class by qualified name."""
    return [node for name, node in _classes(tree, "") if name == qualname]


def normal_form(node: ast.AST, outermost: bool = True, in_class: bool = False) -> Any:
    """Nested lists of what can change a result.

    Left out: positions, comments, docstrings and other constants that stand alone, ``pass``,
    annotations (kept in class bodies, where dataclasses and their like read them), the kind of
    quotes; and of the outermost function its name, decorators and defaults, whose effects are
    in the objects.
    """
    own = outermost and isinstance(node, _FUNCTIONS)
    if isinstance(node, ast.AnnAssign) and not in_class:
        if node.value is None:
            return None
        return ["Assign", ["targets", [_inner(node.target)]], ["value", _inner(node.value)]]
    if isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        return None
    skipped = {"type_comment", "kind", "ctx", "returns"}
    skipped |= {"name", "decorator_list"} if own else set()
    skipped |= {"annotation"} if isinstance(node, ast.arg) else set()
    below = isinstance(node, ast.ClassDef) or (in_class and isinstance(node, _BLOCKS))
    form: list[Any] = [type(node).__name__]
    for field, value in ast.iter_fields(node):
        if field in skipped:
            continue
        if own and isinstance(value, ast.arguments):
            form.append([field, _arguments(value)])
        elif (part := _field(value, below, isinstance(node, ast.Constant))) is not None:
            form.append([field, part])
    return form


def global_names(code: types.CodeType) -> set[str]:
    """Names that the code, or code nested in it, looks up in its module."""
    names = {str(op.argval) for op in dis.get_instructions(code) if op.opname in _GLOBAL_READS}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= global_names(constant)
    return names


def class_globals(node: ast.ClassDef) -> set[str]:
    """Names that a class definition looks up in its module (or in itself)."""
    module = ast.Module(body=[node], type_ignores=[])
    return global_names(compile(module, "<class>", "exec", dont_inherit=True))


def class_attributes(node: ast.ClassDef) -> set[str]:
    """Names assigned in the body of a class, nested functions and classes aside."""
    names, todo = set(), list(ast.iter_child_nodes(node))
    while todo:
        part = todo.pop()
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        if not isinstance(part, (*_FUNCTIONS, ast.ClassDef)):
            todo += ast.iter_child_nodes(part)
    return names


def uses_of(node: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every name read, with the attributes read off it: ``a.b.c()`` gives ``("a", ("b", "c"))``.

    Annotations of functions and of their variables do not count.
    """
    chain: list[str] = []
    part = node
    while isinstance(part, ast.Attribute):
        chain.append(part.attr)
        part = part.value
    if isinstance(part, ast.Name):
        yield part.id, tuple(reversed(chain))
        return
    for field, value in ast.iter_fields(part):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from uses_of(child)


def imports_of(node: ast.AST) -> Iterator[tuple[str, int, str | None, str]]:
    """List the imports inside a node: (module, level, name taken from it or None, bound name)."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            for alias in part.names:
                top = alias.name.partition(".")[0]
                yield alias.name, 0, None, alias.asname or top
        elif isinstance(part, ast.ImportFrom):
            for alias in part.names:
                yield part.module or "", part.level, alias.name, alias.asname or alias.name


@functools.lru_cache(maxsize=32)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def _inner(node: ast.AST, in_class: bool = False) -> Any:
    return normal_form(node, outermost=False, in_class=in_class)


def _arguments(arguments: ast.arguments) -> Any:
    form = _inner(arguments)
    return [form[0], *(part for part in form[1:] if part[0] not in ("defaults", "kw_defaults"))]


def _field(value: Any, in_class: bool, constant: bool) -> Any:
    if isinstance(value, ast.AST):
        return _inner(value, in_class)
    if isinstance(value, list):
        parts = [
            _inner(part, in_class) if isinstance(part, ast.AST) else repr(part) for part in value
        ]
        return [part for part in parts if part is not None] or None
    return f"{type(value).__name__} {value!r}" if constant or value is not None else None


def _contains(node: FunctionNode, start: Any, end: Any) -> bool:
    body = node.body if isinstance(node, ast.Lambda) else node
    last = (body.end_lineno or 0, body.end_col_offset or 0)
    return bool((body.lineno, body.col_offset) <= start and end <= last)


def _extent(node: FunctionNode) -> tuple[int, int]:
    return (node.end_lineno or 0) - node.lineno, (node.end_col_offset or 0) - node.col_offset


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        name = getattr(child, "name", None)
        if isinstance(child, ast.ClassDef):
            yield f"{prefix}{name}", child
            yield from _classes(child, f"{prefix}{name}.")
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _classes(child, f"{prefix}{name}.<locals>.")
        else:
            yield from _classes(child, prefix)
