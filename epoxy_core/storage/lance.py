"""Embeddings by content hash, in LanceDB."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance_tables import (
    compact,
    connect,
    open_table,
    readable,
    set_tag,
    tag_versions,
)

_HASH, _VECTOR = "content_hash", "vector"
_ROWS_AT_ONCE = 65_536


class EmbeddingStore:
    """Vectors of one encoder, append-only.

    A vector depends only on the encoder and the content, so a stored row is never changed: rows
    of contents that are gone stay, and do no harm. Vectors are kept as float16.

    Parameters
    ----------
    path
        The LanceDB directory; created with the first vectors.
    encoder
        The encoder's fingerprint: every encoder has a table of its own.
    """

    def __init__(self, path: Path, encoder: str) -> None:
        self.path = path
        self.encoder = encoder
        digest = hashlib.blake2b(encoder.encode(), digest_size=8).hexdigest()
        self.table_name = f"embeddings_{digest}"

    @property
    def dimension(self) -> int | None:
        """Length of the stored vectors; None while there are none.

        Raises
        ------
        EpoxyError
            If the table cannot be read.
        """
        with readable(self.path):
            table = open_table(self.path, self.table_name)
            return None if table is None else int(table.schema.field(_VECTOR).type.list_size)

    def missing(self, hashes: Sequence[str] | pl.Series) -> list[str]:
        """List the hashes that have no vector yet, each once, in the order given.

        Raises
        ------
        EpoxyError
            If the table cannot be read.
        """
        asked = pl.Series(_HASH, hashes, dtype=pl.String).unique(maintain_order=True)
        with readable(self.path):
            table = open_table(self.path, self.table_name)
            if table is None:
                return asked.to_list()
            stored = _stored_hashes(table)
        return asked.filter(~asked.is_in(stored.implode())).to_list()

    def append(self, hashes: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Store vectors, all of them or none; on return they are on disk.

        Parameters
        ----------
        hashes
            c content hashes without a vector so far.
        vectors
            float32 [c, d], unit rows.

        Raises
        ------
        EpoxyError
            If the shapes do not fit each other or the stored vectors, a value is not finite, or
            the directory cannot be written.
        """
        if vectors.ndim != 2 or len(vectors) != len(hashes):
            raise EpoxyError(
                f"{len(hashes)} hashes for vectors of shape {vectors.shape}", where=str(self.path)
            )
        if not np.isfinite(vectors).all():
            row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise EpoxyError(
                "the vector is not finite",
                where=f"content {hashes[row]}",
                remedy="Nothing of this chunk was stored. Check the encoder.",
            )
        stored = self.dimension
        if stored not in (None, vectors.shape[1]):
            raise EpoxyError(
                f"the stored vectors have {stored} dimensions, the new ones {vectors.shape[1]}",
                where=f"{self.path}, table {self.table_name}",
                remedy="Another encoder needs another fingerprint.",
            )
        if not len(hashes):
            return
        import pyarrow as pa

        width = vectors.shape[1]
        halves = pa.array(vectors.astype(np.float16).ravel())
        rows = pa.table(
            [pa.array(hashes, pa.string()), pa.FixedSizeListArray.from_arrays(halves, width)],
            schema=pa.schema(
                [
                    pa.field(_HASH, pa.string(), nullable=False),
                    pa.field(_VECTOR, pa.list_(pa.float16(), width), nullable=False),
                ],
                metadata={"encoder": self.encoder},
            ),
        )
        with readable(self.path):
            table = open_table(self.path, self.table_name)
            if table is None:
                table = connect(self.path).create_table(
                    self.table_name, schema=rows.schema, exist_ok=True
                )
            table.add(rows)

    def load(self, hashes: Sequence[str] | pl.Series) -> npt.NDArray[np.float32]:
        """Vectors in the order asked.

        Parameters
        ----------
        hashes
            n content hashes; may repeat.

        Returns
        -------
        ndarray
            float32 [n, d], unit rows.

        Raises
        ------
        EpoxyError
            If a hash has no vector, or the table cannot be read.
        """
        vectors = np.empty((len(hashes), self.dimension or 0), dtype=np.float32)
        self.read_into(hashes, vectors)
        for first in range(0, len(vectors), _ROWS_AT_ONCE):
            part = vectors[first : first + _ROWS_AT_ONCE]
            part /= np.sqrt(np.einsum("ij,ij->i", part, part))[:, None]
        return vectors

    def read_into(self, hashes: Sequence[str] | pl.Series, out: npt.NDArray[np.floating]) -> None:
        """Copy vectors to where they are wanted, as they are stored: of length one to 1e-3.

        Parameters
        ----------
        hashes
            n content hashes; may repeat.
        out
            float16 or float32 [n, d].

        Raises
        ------
        EpoxyError
            As `load`.
        """
        with readable(self.path):
            table = open_table(self.path, self.table_name)
            if table is None:
                if len(hashes):
                    raise _no_vector(hashes[0], len(hashes), self.path)
                return
            rows = _rows_of(hashes, _stored_hashes(table), self.path)
            order = np.argsort(rows, kind="stable")
            ascending = rows[order]
            offset = 0
            # A table handle reads one version, so both scans see the same rows in one order.
            batches = table.search().select([_VECTOR]).to_batches(batch_size=_ROWS_AT_ONCE)
            for batch in batches if len(rows) else ():
                first, last = np.searchsorted(ascending, [offset, offset + batch.num_rows])
                values = batch.column(_VECTOR).flatten().to_numpy(zero_copy_only=False)
                block = values.reshape(batch.num_rows, -1)
                out[order[first:last]] = block[ascending[first:last] - offset]
                offset += batch.num_rows

    def tag(self, name: str) -> None:
        """Name the current version, say after a data version; an existing name moves.

        Parameters
        ----------
        name
            Letters, digits, ``.``, ``-`` and ``_``.

        Raises
        ------
        EpoxyError
            If nothing is stored yet, or the table cannot be written.
        """
        with readable(self.path):
            set_tag(self._existing(), name)

    def tags(self) -> dict[str, int]:
        """List tag names and the versions they name.

        Raises
        ------
        EpoxyError
            If the table cannot be read.
        """
        with readable(self.path):
            table = open_table(self.path, self.table_name)
            return {} if table is None else tag_versions(table)

    def compact(self) -> None:
        """Merge small files and drop old versions that no tag needs.

        Raises
        ------
        EpoxyError
            If nothing is stored yet, or the table cannot be written.
        """
        with readable(self.path):
            compact(self._existing())

    def _existing(self) -> Any:
        table = open_table(self.path, self.table_name)
        if table is None:
            raise EpoxyError("no embeddings yet", where=str(self.path), remedy="Embed items first.")
        return table


def _stored_hashes(table: Any) -> pl.Series:
    column = table.search().select([_HASH]).to_arrow()
    return pl.Series(_HASH, pl.from_arrow(column.column(_HASH)), dtype=pl.String)


def _rows_of(
    hashes: Sequence[str] | pl.Series, stored: pl.Series, path: Path
) -> npt.NDArray[np.int64]:
    """Row of each hash in the table."""
    known = stored.to_frame().with_row_index("row").unique(_HASH, keep="first")
    asked = pl.Series(_HASH, hashes, dtype=pl.String).to_frame()
    rows = asked.join(known, on=_HASH, how="left", maintain_order="left")["row"]
    if absent := rows.null_count():
        first = int(rows.is_null().arg_true()[0])
        raise _no_vector(hashes[first], absent, path)
    return rows.cast(pl.Int64).to_numpy()


def _no_vector(content: str, count: int, path: Path) -> EpoxyError:
    return EpoxyError(
        f"no vector stored for {count} contents, the first with hash {content}",
        where=str(path),
        remedy="Materialize the embeddings for the current items.",
    )
