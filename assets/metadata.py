"""What assets report to the Dagster UI: tables, column schemas, pictures."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from assets.keys import lf_key
from assets.lineage import Lineage, in_words
from epoxy_core.labeling import LabelingFunction, SourceLocation
from epoxy_core.storage.schema import BY_NAME
from epoxy_core.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def schema(table: str, lineage: Lineage | None = None) -> dict[str, Any]:
    """Columns of a DuckDB table and what they come from, for an asset's definition metadata.

    The open-source UI has no view of column lineage, so the descriptions say it too.
    """
    sources = lineage or {}
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=f"{column.meaning} ← {in_words(sources[column.name])}"
            if column.name in sources
            else column.meaning,
        )
        for column in BY_NAME[table].columns
    ]
    metadata: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(columns=columns)}
    if sources:
        metadata["dagster/column_lineage"] = dg.TableColumnLineage(sources)
    return metadata


def source_link(location: SourceLocation | None) -> dict[str, Any]:
    """Link that opens a heuristic in the user's editor."""
    if location is None:
        return {}
    file = location.file.resolve()
    with warnings.catch_warnings():  # these classes are in beta, and say so at every use
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(
            file_path=str(file), line_number=location.line, label=f"{file.name}:{location.line}"
        )
        return {
            "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])
        }


def heuristics(task: Task, lfs: Sequence[LabelingFunction]) -> dg.MarkdownMetadataValue:
    """What a label run was made with: each labeling function, where it is written, its version."""
    rows = [
        {
            "lf": f"[{lf.name}](/assets/{'/'.join(lf_key(task, lf.name).path)})",
            "written in": _within(task.folder, lf.location),
            "fingerprint": f"`{lf.code_version}`",
        }
        for lf in lfs
    ]
    return table(pl.DataFrame(rows), most=len(rows))


def table(rows: pl.DataFrame, most: int = 50) -> dg.MarkdownMetadataValue:
    """The first rows of a frame, as a Markdown table."""
    header = f"| {' | '.join(rows.columns)} |\n|{'---|' * rows.width}\n"
    body = "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows.head(most).iter_rows())
    rest = f"\n\n… and {rows.height - most} more" if rows.height > most else ""
    return dg.MetadataValue.md(header + body + rest)


def picture(figure: "Figure") -> dg.MarkdownMetadataValue:
    """A matplotlib figure, inline."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{encoded})")


def share_per_class(
    classes: Sequence[str], counts: Mapping[str, int]
) -> dict[str, dg.FloatMetadataValue]:
    """``share_<class>`` for every class, to be followed over time in the UI's plots."""
    total = max(1, sum(counts.values()))
    return {
        f"share_{name}": dg.MetadataValue.float(counts.get(name, 0) / total) for name in classes
    }


def shares(counts: Mapping[str, int]) -> pl.DataFrame:
    """Counts by name with their share of the total."""
    total = max(1, sum(counts.values()))
    return pl.DataFrame(
        {
            "name": list(counts),
            "count": list(counts.values()),
            "share": [count / total for count in counts.values()],
        }
    )


def _within(folder: Path, location: SourceLocation | None) -> str:
    if location is None:
        return ""
    file, folder = location.file.resolve(), folder.resolve()
    shown = file.relative_to(folder) if file.is_relative_to(folder) else file
    return f"{shown}:{location.line}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return str(value).replace("|", "\\|").replace("\n", " ")
