"""Write docs/task.md and docs/tables.md from the code: ``python docs/reference.py``."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from epoxy_core.storage.schema import TABLES
from epoxy_core.task import Task

HERE = Path(__file__).parent
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
        section = _section(field.annotation)
        if section:
            sections.append(_section_page(name, section, field))
        else:
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


def _section_page(name: str, section: type[BaseModel], field: FieldInfo) -> str:
    rows: list[str] = []
    nested: list[str] = []
    for inner, inner_field in section.model_fields.items():
        deeper = _section(inner_field.annotation)
        if deeper:
            nested.append(_section_page(f"{name}.{inner}", deeper, inner_field))
        else:
            rows.append(_row(inner, inner_field))
    text = (section.__doc__ or "").strip()
    optional = "" if field.is_required() else " (optional)"
    return "\n".join([f"## {name}{optional}\n\n{text}\n\n{_table(rows)}", *nested])


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
    return {"str": "text", "float": "number", "int": "whole number"}.get(annotation.__name__, "")


def _section(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


if __name__ == "__main__":
    (HERE / "task.md").write_text(settings_page(), encoding="utf-8")
    (HERE / "tables.md").write_text(tables_page(), encoding="utf-8")
