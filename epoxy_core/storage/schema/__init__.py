"""The DuckDB tables of a task: the one place where their columns are written down.

Every table is keyed by ``item_id``, labeling function or run, never by position. A class is stored
as its position in ``task.yaml`` where it is a vote (``TINYINT``) and by name where people read it.
A vote against the class at position c is stored as K + c.
"""

from epoxy_core.storage.schema import corpus, label_model, labels, training, votes
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    *corpus.TABLES,
    *votes.TABLES,
    *label_model.TABLES,
    *labels.TABLES,
    *training.TABLES,
)
BY_NAME = {table.name: table for table in TABLES}

__all__ = ["BY_NAME", "TABLES", "Column", "Table"]
