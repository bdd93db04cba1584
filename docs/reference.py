"""Write docs/task.md, docs/tables.md and the columns in docs/video.md from the code.

Run it as ``python docs/reference.py``.
"""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from epoxy_core.storage.schema import TABLES
from epoxy_core.task import Task
from epoxy_core.video import MEASURES

HERE = Path(__file__).parent
COLUMNS_BEGIN = "<!-- Written by docs/reference.py: columns -->"
COLUMNS_END = "<!-- end -->"
OF_AN_ITEM = {
    "item_id": "`<video>@<start>`",
    "text": "captions, joined by line breaks; empty where there are none",
    "video": "path of the file, relative to the task folder",
    "start": "seconds",
    "end": "seconds",
    "time": "seconds, of its middle frame",
    "frame": "number of that frame in the video, from 0",
}
OF_ITS_SHOT = {
    "shot": "number of its shot in the video, from 0",
    "shot_seconds": "length of that shot",
    "shot_position": "where in it the item is; 0 … 1",
}
OF_ITS_VIDEO = {
    "duration": "seconds, of the whole video",
    "width": "pixels, upright",
    "height": "pixels, upright",
    "fps": "frames per second, on average",
    "codec": "how it is encoded",
    "meta_…": "what the container says of itself: `meta_title`, `meta_genre`, …",
}
NOTE = "<!-- Written by docs/reference.py. -->\n"


def settings_page() -> str:
    """Every setting of task.yaml."""
    parts = [
        f"{NOTE}# task.yaml\n",
        "A key that is not listed here is an error. `…` marks a setting without a default.\n",
    ]
    top: list[str] = []
    sections: list[str] = []
    for name, field in Task.model_fields.items():
        found = _sections(field.annotation)
        sections += [_section_page(name, section, field) for section in found]
        if not found:
            top.append(_row(name, field))
    return "\n".join([*parts, _table(top), *sections])


def tables_page() -> str:
    """Every DuckDB table."""
    parts = [
        f"{NOTE}# Tables\n",
        "One DuckDB file per task, `.epoxy/<task>/labels.duckdb`. Join by `item_id`. The same "
        "texts are comments in the database: `SELECT * FROM duckdb_columns()`.\n",
    ]
    for table in TABLES:
        rows = [f"| `{c.name}` | {c.type} | {c.meaning} |" for c in table.columns]
        more = "| … | | the source's other columns |" if table.open else ""
        body = "\n".join(filter(None, [*rows, more]))
        parts.append(
            f"## {table.name}\n\n{table.meaning}\n\n| column | type | |\n|---|---|---|\n{body}\n"
        )
    return "\n".join(parts)


def video_page() -> str:
    """The page on video, with the columns as they are now."""
    page = (HERE / "video.md").read_text(encoding="utf-8")
    before, rest = page.split(COLUMNS_BEGIN)
    columns = {**OF_AN_ITEM, **MEASURES, **OF_ITS_SHOT, **OF_ITS_VIDEO}
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in columns.items())
    after = rest.split(COLUMNS_END)[1]
    return f"{before}{COLUMNS_BEGIN}\n| column | |\n|---|---|\n{rows}\n{COLUMNS_END}{after}"


def _section_page(name: str, section: type[BaseModel], field: FieldInfo) -> str:
    rows: list[str] = []
    nested: list[str] = []
    for inner, inner_field in section.model_fields.items():
        deeper = _sections(inner_field.annotation)
        nested += [_section_page(f"{name}.{inner}", one, inner_field) for one in deeper]
        if not deeper or _has_words(inner_field.annotation):
            rows.append(_row(inner, inner_field))
    text = (section.__doc__ or "").strip()
    notes = [] if field.is_required() else ["optional"]
    notes += ["a list of these"] if get_origin(field.annotation) is list else []
    if len(_sections(field.annotation)) > 1:
        notes.append(f"kind: {_values(section.model_fields['kind'].annotation)}".replace("`", ""))
    heading = f"## {name} ({', '.join(notes)})" if notes else f"## {name}"
    return "\n".join([f"{heading}\n\n{text}\n\n{_table(rows)}", *nested])


def _table(rows: list[str]) -> str:
    return "| setting | values | default | |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "…" if field.is_required() else f"`{default!r}`".replace("None", "null")
    return f"| `{name}` | {_values(field.annotation)} | {shown} | {field.description or ''} |"


def _values(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(inner[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        return ", ".join(_values(part) for part in inner if part is not NoneType)
    if origin is tuple:
        return f"[{', '.join(map(_values, inner))}]"
    if origin is list:
        return f"list of {_values(inner[0])}"
    if origin is dict:
        return "mapping"
    if _sections(annotation):
        return "a mapping, see below"
    return {"str": "text", "float": "number", "int": "whole number"}.get(annotation.__name__, "")


def _has_words(annotation: Any) -> bool:
    """Whether a setting that may be a section may be a word, too."""
    return any(get_origin(part) is Literal for part in get_args(annotation))


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a setting may be, or be a list of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _sections(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType, list):
        return [found for part in get_args(annotation) for found in _sections(part)]
    return []


if __name__ == "__main__":
    (HERE / "task.md").write_text(settings_page(), encoding="utf-8")
    (HERE / "tables.md").write_text(tables_page(), encoding="utf-8")
    (HERE / "video.md").write_text(video_page(), encoding="utf-8")
