"""Ready-made heuristics written in ``task.yaml``."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    InstanceOf,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.heuristics import between, keywords, length, lookup, regex
from epoxy_core.labeling.lf import LabelingFunction, SourceLocation
from epoxy_core.labeling.vector_heuristics import prompts, similar
from epoxy_core.labeling.votes import Not
from epoxy_core.section import Section
from epoxy_core.task import TASK_FILE, Task

SETTING = "labeling_functions.heuristics"


def _negative(value: Any) -> Any:
    """``{not: spam}`` is a vote against spam."""
    return Not(value["not"]) if isinstance(value, dict) and set(value) == {"not"} else value


Vote = Annotated[StrictStr | StrictInt | InstanceOf[Not], BeforeValidator(_negative)]


class _Heuristic(Section):
    name: StrictStr
    probability: StrictFloat | None = None


class _OfText(_Heuristic):
    column: StrictStr = "text"


class Keywords(_OfText):
    """Settings of `keywords`."""

    type: Literal["keywords"]
    vote: Vote
    words: list[StrictStr] | None = None
    file: StrictStr | None = None
    case: StrictBool = False
    whole_words: StrictBool = True
    at_least: StrictInt = 1


class Regex(_OfText):
    """Settings of `regex`."""

    type: Literal["regex"]
    vote: Vote
    pattern: StrictStr


class Lookup(_OfText):
    """Settings of `lookup`."""

    type: Literal["lookup"]
    vote: Vote | None = None
    table: dict[StrictStr, StrictStr] | list[StrictStr] | None = None
    file: StrictStr | None = None
    match: Literal["words", "value"] = "words"
    case: StrictBool = False


class Length(_OfText):
    """Settings of `length`."""

    type: Literal["length"]
    vote: Vote
    unit: Literal["characters", "words"] = "characters"
    min: StrictInt | None = None
    max: StrictInt | None = None


class Between(_Heuristic):
    """Settings of `between`."""

    type: Literal["between"]
    vote: Vote
    column: StrictStr
    min: StrictFloat | None = None
    max: StrictFloat | None = None


class Similar(_Heuristic):
    """Settings of `similar`."""

    type: Literal["similar"]
    vote: Vote
    items: list[StrictStr] | None = None
    texts: list[StrictStr] | None = None
    images: list[StrictStr] | None = None
    at_least: StrictFloat = 0.8


class Prompts(_Heuristic):
    """Settings of `prompts`."""

    type: Literal["prompts"]
    vote: Vote
    prompts: list[StrictStr]
    against: list[StrictStr] | None = None
    margin: StrictFloat = 0.0
    at_least: StrictFloat | None = None


_Settings = Keywords | Regex | Lookup | Length | Between | Similar | Prompts
_SETTINGS: TypeAdapter[_Settings] = TypeAdapter(Annotated[_Settings, Field(discriminator="type")])
_BUILDERS: dict[str, Callable[..., LabelingFunction]] = {
    "keywords": keywords,
    "regex": regex,
    "lookup": lookup,
    "length": length,
    "between": between,
    "similar": similar,
    "prompts": prompts,
}


def heuristics_of(task: Task) -> list[LabelingFunction]:
    """Make the heuristics of ``task.yaml``, in order.

    Raises
    ------
    EpoxyError
        For an unknown type or key, a wrong value, a bad pattern; names file, line and heuristic.
    """
    file = task.folder / TASK_FILE
    lines = _lines(file)
    found = []
    for position, settings in enumerate(task.labeling_functions.heuristics):
        line = lines[position] if position < len(lines) else 1
        name = settings.get("name", position)
        where = f"{file}:{line}: {SETTING}[{position}] ({name})"
        try:
            chosen = _SETTINGS.validate_python(settings)
            given = {field: getattr(chosen, field) for field in chosen.model_fields_set}
            made = _BUILDERS[given.pop("type")](**given)
        except ValidationError as error:
            raise EpoxyError(
                "; ".join(dict.fromkeys(map(_problem, error.errors()))),
                where=where,
                remedy=f"Types are {', '.join(_BUILDERS)}; docs/labeling_functions.md has their "
                "settings. Put words and class names in quotes if YAML reads them otherwise.",
            ) from error
        except EpoxyError as error:
            raise EpoxyError(error.problem, where=where, remedy=error.remedy) from error
        found.append(dataclasses.replace(made, location=SourceLocation(file, line)))
    return found


def _problem(found: Any) -> str:
    place = ".".join(str(part) for part in found["loc"][1:] if not str(part).startswith("list["))
    if found["type"] == "extra_forbidden":
        return f"{place}: no such setting"
    if found["type"] == "union_tag_not_found":
        return "type: Field required"
    if found["type"] == "union_tag_invalid":
        return f"there is no type {found['ctx']['tag']!r}"
    shown = f" (found {found['input']!r})" if found["type"] != "missing" else ""
    return f"{place}: {found['msg']}{shown}" if place else str(found["msg"])


def _lines(file: Path) -> list[int]:
    """Line of each heuristic in ``task.yaml``; empty if the task was not read from a file."""
    if not file.is_file():
        return []
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for key in SETTING.split("."):
        if not isinstance(node, yaml.MappingNode):
            return []
        node = next((value for name, value in node.value if name.value == key), None)
    entries = node.value if isinstance(node, yaml.SequenceNode) else []
    return [entry.start_mark.line + 1 for entry in entries]
