"""What is wrong with a ``task.yaml``, and in which line."""

import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from epoxy_core.errors import EpoxyError

_UNION_TAG = re.compile(r"(literal|list|dict)\[|constrained-|kind-(text|video)$")
"""Where pydantic says which type of a setting it tried."""


def refuse_repeats(file: Path, node: yaml.Node | None) -> None:
    """YAML takes the last of two equal keys; here one of them is a mistake."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            refuse_repeats(file, child)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            raise EpoxyError(
                f"{key.value!r} is there twice",
                where=f"{file}:{key.start_mark.line + 1}",
                remedy="Keep one of the two.",
            )
        seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        refuse_repeats(file, value)


def problems(file: Path, root: yaml.Node | None, error: ValidationError) -> list[str]:
    """One line per setting: a setting of several types has one complaint for each of them."""
    complaints: dict[tuple[str, str], list[str]] = {}
    for found in error.errors():
        message = found["msg"].removeprefix("Value error, ")
        location = tuple(part for part in found["loc"] if not _UNION_TAG.match(str(part)))
        if not location:  # of the task as a whole: the message begins with the setting
            setting, _, message = message.partition(": ")
            location = tuple(setting.split("."))
        shown = ""
        if found["type"] == "extra_forbidden":
            message = "no such setting"
        elif found["type"] == "model_type":
            message = "give a mapping of settings, or leave it out"
        elif found["type"] != "missing" and isinstance(found["input"], (str, int, float)):
            shown = f" (found {found['input']!r})"
        where = f"{file}:{_line(root, location)}: {'.'.join(map(str, location))}"
        complaints.setdefault((where, shown), []).append(message)
    return [
        f"{where}: {'; or '.join(messages)}{shown}"
        for (where, shown), messages in complaints.items()
    ]


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest node of ``location`` that the file has, counted from 1."""
    line = node.start_mark.line if node else 0
    for part in location:
        child = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, child = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = node.value[part] if part < len(node.value) else None
            line = child.start_mark.line if child else line
        node = child
        if node is None:
            break
    return line + 1
