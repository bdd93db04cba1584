"""What assets report to the Dagster UI: tables, column schemas, pictures."""

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from epoxy_core.storage.schema import BY_NAME

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def schema(table: str) -> dict[str, dg.TableSchema]:
    """Column schema of a DuckDB table, for an asset's definition metadata."""
    columns = [
        dg.TableColumn(column.name, column.type, description=column.meaning)
        for column in BY_NAME[table].columns
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


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


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return str(value).replace("|", "\\|").replace("\n", " ")
