"""Find a task's labeling functions: those of its Python file, then those of ``task.yaml``."""

import dataclasses
import traceback
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.config import heuristics_of
from epoxy_core.labeling.expressions import table_labels
from epoxy_core.labeling.fingerprint import fingerprint
from epoxy_core.labeling.lf import LabelingFunction, created
from epoxy_core.labeling.modules import TaskModules
from epoxy_core.labeling.values import Memo
from epoxy_core.labeling.votes import InvalidVoteError, Soft, Vote, VoteReader
from epoxy_core.task import TASK_FILE, Task


def load_labeling_functions(task: Task) -> list[LabelingFunction]:
    """Execute the task's Python file and read its ``task.yaml``.

    A labeling function of the Python file counts if it is kept at module level: by name, or in a
    list, tuple, set or dict. The file and the helpers it imports from the task folder are read
    anew on every call.

    Returns
    -------
    list of LabelingFunction
        In order of definition, with ``folder`` and ``code_version`` set; names are unique.

    Raises
    ------
    EpoxyError
        For a missing or broken file, an exception while it runs, names used twice, classes the
        task does not have, unreadable data files, thresholds of none, no labeling function at all.
    """
    found = _python(task) + heuristics_of(task)
    if not found:
        raise EpoxyError(
            "the task has no labeling function",
            where=str(task.folder),
            remedy=f"Decorate a function with @labeling_function in "
            f"{task.labeling_functions.file or 'a Python file'}, or list heuristics in "
            f"{TASK_FILE}.",
        )
    by_name: dict[str, LabelingFunction] = {}
    for lf in found:
        if lf.name in by_name:
            raise _twice(by_name[lf.name], lf)
        by_name[lf.name] = lf
    _check_thresholds(task, by_name)
    memo: Memo = {}
    loaded = []
    for lf in found:
        placed = dataclasses.replace(lf, folder=task.folder)
        _check_vote(placed, placed.vote, task.classes)
        _check_probability(placed, task.classes)
        if placed.kind == "heuristic":
            _check_heuristic(placed, task.classes)
        version = fingerprint(placed, task.classes, memo)
        loaded.append(dataclasses.replace(placed, code_version=version))
    return loaded


def _python(task: Task) -> list[LabelingFunction]:
    setting = task.labeling_functions.file
    if setting is None:
        return []
    path = (task.folder / setting).resolve()
    if path.suffix != ".py" or not path.is_relative_to(task.folder.resolve()):
        raise EpoxyError(
            f"labeling_functions.file is {setting!r}",
            where=str(task.folder / TASK_FILE),
            remedy="Name a .py file in the task folder, or null for none.",
        )
    if not path.is_file():
        if task.labeling_functions.heuristics and "file" not in (
            task.labeling_functions.model_fields_set
        ):
            return []
        raise EpoxyError(
            "the file of labeling functions does not exist",
            where=str(path),
            remedy=f"Create it, or set labeling_functions.file in {TASK_FILE} (null for none).",
        )
    return labeling_functions_in(task.folder.resolve(), path)


def labeling_functions_in(folder: Path, path: Path) -> list[LabelingFunction]:
    """Execute one Python file of a task folder, both resolved; give what it keeps.

    Raises
    ------
    EpoxyError
        If it fails, or makes a labeling function that it does not keep.
    """
    made: list[LabelingFunction] = []
    token = created.set(made)
    try:
        module = _execute(folder, path)
    finally:
        created.reset(token)
    kept = list({id(lf): lf for lf in _at_module_level(module)}.values())
    for lf in made:
        if lf in kept or lf.location is None or lf.location.file != path:
            continue
        if twin := next((other for other in kept if other.name == lf.name), None):
            raise _twice(lf, twin)
        raise EpoxyError(
            f"the labeling function {lf.name!r} is made, but not kept at module level",
            where=str(lf.location),
            remedy="Assign it to a name or put it in a list there; remove it if it is not wanted.",
        )
    return [dataclasses.replace(lf, loaded_from=path) for lf in kept]


def _execute(folder: Path, path: Path) -> ModuleType:
    name = ".".join(path.relative_to(folder).with_suffix("").parts)
    try:
        return TaskModules(folder).load(name)
    except EpoxyError as error:
        inside = error.where.startswith(str(folder))
        where = error.where if inside else f"{_last_line(error, folder, path)}: {error.where}"
        raise EpoxyError(error.problem, where=where, remedy=error.remedy) from error
    except SyntaxError as error:
        raise EpoxyError(
            f"syntax error: {error.msg}",
            where=f"{error.filename or path}:{error.lineno or 1}",
            remedy="Mend the line (or the one before it).",
        ) from error
    except (Exception, SystemExit) as error:
        raise EpoxyError(
            f"{type(error).__name__} while the file was loaded: {error}",
            where=_last_line(error, folder, path),
            remedy="Run the file by itself to see it; what a task imports must be installed or "
            "lie in the task folder.",
        ) from error


def _last_line(error: BaseException, folder: Path, path: Path) -> str:
    """Find the innermost line of the task's own files in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(path)


def _at_module_level(module: ModuleType) -> Iterator[LabelingFunction]:
    for name, value in vars(module).items():
        if name.startswith("__"):
            continue
        if isinstance(value, LabelingFunction):
            yield value
        elif isinstance(value, (list, tuple, Mapping, set, frozenset)):
            inner = value.values() if isinstance(value, Mapping) else value
            yield from (entry for entry in inner if isinstance(entry, LabelingFunction))


def _twice(first: LabelingFunction, second: LabelingFunction) -> EpoxyError:
    return EpoxyError(
        f"two labeling functions are named {first.name!r}",
        where=f"{first.location} and {second.location}",
        remedy="Rename one; name='…' in the decorator names it without renaming the function.",
    )


def _check_thresholds(task: Task, names: Collection[str]) -> None:
    given = task.extension.threshold
    for name in given if isinstance(given, dict) else ():
        if name not in names:
            raise EpoxyError(
                f"extension.threshold names {name!r}, which is no labeling function",
                where=str(task.folder / TASK_FILE),
                remedy=f"There are {', '.join(names)}.",
            )


def _check_vote(
    lf: LabelingFunction, vote: Vote | None, classes: list[str], source: str = ""
) -> None:
    if vote is not None and VoteReader(classes).symbol(vote) is None:
        raise EpoxyError(
            f"{lf.name!r} votes {vote!r}, which is not a class{source}",
            where=str(lf.location or lf.name),
            remedy=f"The classes of the task are: {', '.join(classes)}."
            + (" Give a probability by probability=." if isinstance(vote, Soft) else ""),
        )


def _check_probability(lf: LabelingFunction, classes: list[str]) -> None:
    if lf.probability is None:
        return
    reader = VoteReader(classes)
    symbol = 0 if lf.vote is None else reader.symbol(lf.vote)
    assert symbol is not None  # it was checked before
    try:
        reader.check(symbol, lf.probability)
    except InvalidVoteError as error:
        raise EpoxyError(
            f"{lf.name!r}: {error}",
            where=str(lf.location or lf.name),
            remedy="It is the probability that a vote of this function is right, above that of a "
            "guess and at most 1.",
        ) from error


def _check_heuristic(lf: LabelingFunction, classes: list[str]) -> None:
    """Build a ready-made heuristic once: its files and the classes in them are checked here."""
    try:
        lf.expression()
        labels = table_labels(lf.function, lf.folder)
    except EpoxyError as error:
        raise EpoxyError(
            f"{lf.name!r}, {error.where}: {error.problem}",
            where=str(lf.location or lf.name),
            remedy=error.remedy,
        ) from error
    for label in labels:
        _check_vote(lf, label, classes, f" (in {lf.files[0]})" if lf.files else "")
