"""The neighbour graph: one Arrow file, read where it lies."""

import json
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.neighbors import NOBODY, NeighborGraph, Scope

_MAKE = "`epoxy run TASK` makes it."

Ids = pl.Series | Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class StoredGraph:
    """A graph, and what it is one of.

    Attributes
    ----------
    item_ids, content_hashes
        String [n]: the items that rows and indices mean, and what of them was embedded.
    graph
        Their neighbours; a graph with a scope comes back without.
    """

    item_ids: pl.Series
    content_hashes: pl.Series
    graph: NeighborGraph

    def rows_of(self, item_ids: pl.Series, content_hashes: pl.Series) -> npt.NDArray[np.int64]:
        """Row of each of these items in the graph, int64; −1 where it or its content is new."""
        keys = {"item_id": self.item_ids, "content_hash": self.content_hashes}
        rows = pl.DataFrame(keys).with_row_index("row")
        asked = pl.DataFrame({"item_id": item_ids, "content_hash": content_hashes})
        found = asked.join(rows, on=list(keys), how="left", maintain_order="left")["row"]
        return found.cast(pl.Int64).fill_null(-1).to_numpy()


class NeighborStore:
    """One graph, replaced as a whole: a reader sees the old one or the new one.

    Parameters
    ----------
    path
        The file: Arrow IPC, with the columns ``item_id``, ``content_hash``, ``neighbors`` (k rows
        of the same table, −1 after the last) and ``similarity`` (k cosines, −inf after the last).
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self, item_ids: Ids, content_hashes: Ids, graph: NeighborGraph, made_with: str = ""
    ) -> None:
        """Replace the graph.

        Parameters
        ----------
        item_ids, content_hashes
            Of the n items that rows and indices mean, in order.
        graph
            Their neighbours.
        made_with
            What `latest` is asked for: settings and code, in the caller's words.

        Raises
        ------
        EpoxyError
            If the shapes do not fit, or the file cannot be written.
        """
        n, indices, similarity = len(item_ids), graph.indices, graph.similarity
        fits = indices.ndim == 2 and indices.shape == similarity.shape
        if not fits or not len(indices) == n == len(content_hashes):
            raise EpoxyError(
                f"a graph of shapes {indices.shape} and {similarity.shape} for {n} items",
                where=str(self.path),
                remedy="Compute the graph from the embeddings of these items.",
            )
        import pyarrow as pa

        about = {
            "n": n,
            "k": indices.shape[1],
            "recall": graph.recall,
            "engine": graph.engine,
            "made_with": made_with,
        }
        table = pa.table(
            {
                "item_id": _strings(item_ids),
                "content_hash": _strings(content_hashes),
                "neighbors": _lists(indices.astype(np.int32, copy=False)),
                "similarity": _lists(similarity.astype(np.float32, copy=False)),
            }
        ).replace_schema_metadata({"epoxy": json.dumps(about)})
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with self._usable():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for left in self.path.parent.glob(f"{self.path.name}.*"):  # by a killed writer
                left.unlink(missing_ok=True)
            try:
                with (
                    pa.OSFile(str(beside), "wb") as sink,
                    pa.ipc.new_file(sink, table.schema) as writer,
                ):
                    writer.write_table(table)
                os.replace(beside, self.path)
            finally:
                beside.unlink(missing_ok=True)

    def read(self, item_ids: Ids, scope: Scope | None = None) -> NeighborGraph:
        """Read the graph of these items.

        Parameters
        ----------
        item_ids
            The items, in order.
        scope
            From whom they may borrow: what the graph was made with.

        Returns
        -------
        The graph; its arrays are the file's own pages, private to the reader.

        Raises
        ------
        EpoxyError
            If there is no graph, it is one of other items or another order, or it cannot be read.
        """
        with self._usable():
            table, graph, _ = self._open()
            if not table["item_id"].combine_chunks().equals(_strings(item_ids)):
                raise EpoxyError(
                    f"the neighbour graph is one of other items ({table.num_rows} of them, "
                    f"asked for {len(item_ids)})",
                    where=str(self.path),
                    remedy="`epoxy run TASK` makes it for the current items.",
                )
        return NeighborGraph(graph.indices, graph.similarity, scope, graph.recall, graph.engine)

    def latest(self, made_with: str = "") -> StoredGraph | None:
        """Read the graph that there is, whatever its items.

        None where there is none that was made with this, or it cannot be read.
        """
        try:
            with self._usable():
                table, graph, about = self._open()
        except EpoxyError:
            return None
        if about["made_with"] != made_with:
            return None
        ids, hashes = (
            pl.Series(name, table[name], dtype=pl.String) for name in ("item_id", "content_hash")
        )
        return StoredGraph(ids, hashes, graph)

    def _open(self) -> tuple[Any, NeighborGraph, dict[str, Any]]:
        import pyarrow as pa

        try:
            with self.path.open("rb") as file:
                # Copy on write: arrays that can be written to, and never write the file.
                pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except FileNotFoundError:
            raise EpoxyError("no neighbour graph yet", where=str(self.path), remedy=_MAKE) from None
        table = pa.ipc.open_file(pa.py_buffer(pages)).read_all()
        about = dict(json.loads(table.schema.metadata[b"epoxy"]))
        shape = (about["n"], about["k"])
        indices = _matrix(pages, table["neighbors"], np.int32, shape)
        similarity = _matrix(pages, table["similarity"], np.float32, shape)
        if indices.size and not NOBODY <= indices.min() <= indices.max() < shape[0]:
            raise ValueError("neighbours that are no rows")
        graph = NeighborGraph(indices, similarity, None, about["recall"], about["engine"])
        return table, graph, about

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError) as error:  # ArrowInvalid is a ValueError
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise EpoxyError(
                f"the neighbour graph cannot be read or written: {reason}",
                where=str(self.path),
                remedy="Check the free space and the permissions. If the file is damaged, delete "
                f"it; {_MAKE}",
            ) from error


def _strings(values: Ids) -> Any:
    import pyarrow as pa

    series = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
    return series.to_arrow().cast(pa.large_string())


def _lists(matrix: npt.NDArray[Any]) -> Any:
    """Rows of a matrix as an Arrow column."""
    import pyarrow as pa

    values = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    kind = pa.list_(values.type, matrix.shape[1])
    return pa.Array.from_buffers(kind, len(matrix), [None], children=[values])


def _matrix(
    pages: mmap.mmap, column: Any, dtype: npt.DTypeLike, shape: tuple[int, int]
) -> npt.NDArray[Any]:
    """The pages in which the one chunk of a column lies."""
    if 0 in shape:
        return np.empty(shape, dtype=dtype)
    values = column.chunk(0).flatten()
    start = np.frombuffer(pages, dtype=np.uint8).ctypes.data
    offset = values.buffers()[1].address + values.offset * values.type.bit_width // 8 - start
    return np.frombuffer(pages, dtype, shape[0] * shape[1], offset).reshape(shape)
