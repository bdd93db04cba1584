"""What a table's declaration is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and what it means."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table: what a row is, and its columns."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    open: bool = False
    """Whether the source may bring further columns."""

    @property
    def ddl(self) -> str:
        """``CREATE TABLE IF NOT EXISTS`` with comments on table and columns."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}); {self.comments}"

    @property
    def comments(self) -> str:
        """``COMMENT ON`` statements for the table and its columns."""
        quoted = [f"COMMENT ON TABLE {self.name} IS '{_escaped(self.meaning)}'"]
        quoted += [
            f"COMMENT ON COLUMN {self.name}.\"{column.name}\" IS '{_escaped(column.meaning)}'"
            for column in self.columns
        ]
        return "; ".join(quoted)


def _escaped(text: str) -> str:
    return text.replace("'", "''")
