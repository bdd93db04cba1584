"""The neighbour graph, in LanceDB beside the embeddings."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance_tables import compact, connect, open_table, readable

_TABLE = "neighbors"

Scalar = TypeVar("Scalar", bound=np.generic)


class NeighborStore:
    """One graph, replaced as a whole: a reader sees the old one or the new one.

    Parameters
    ----------
    path
        The LanceDB directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self,
        item_ids: Sequence[str],
        indices: npt.NDArray[np.int32],
        similarity: npt.NDArray[np.float32],
    ) -> None:
        """Replace the graph.

        Parameters
        ----------
        item_ids
            The n items that rows and indices mean, in order.
        indices, similarity
            int32 and float32 [n, k]; −1 after an item's last neighbour, which is not stored.

        Raises
        ------
        EpoxyError
            If the shapes do not fit, or the directory cannot be written.
        """
        n = len(item_ids)
        if indices.ndim != 2 or indices.shape != similarity.shape or len(indices) != n:
            raise EpoxyError(
                f"a graph of shapes {indices.shape} and {similarity.shape} for {n} items",
                where=str(self.path),
                remedy="Compute the graph from the embeddings of these items.",
            )
        import pyarrow as pa

        there = indices >= 0
        offsets = pa.array(np.concatenate([[0], np.cumsum(there.sum(axis=1, dtype=np.int64))]))
        columns = {
            "indices": pa.array(indices.astype(np.int32, copy=False)[there]),
            "similarity": pa.array(similarity.astype(np.float32, copy=False)[there]),
        }
        about = {"items": _order_digest(item_ids), "n": n, "k": indices.shape[1]}
        rows = pa.table(
            {
                name: pa.LargeListArray.from_arrays(offsets, values)
                for name, values in columns.items()
            }
        ).replace_schema_metadata({"epoxy": json.dumps(about)})
        with readable(self.path):
            table = connect(self.path).create_table(_TABLE, data=rows, mode="overwrite")
            compact(table)

    def read(
        self, item_ids: Sequence[str]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Read the graph of these items.

        Returns
        -------
        indices, similarity
            int32 and float32 [n, k]; −1 and −inf after an item's last neighbour.

        Raises
        ------
        EpoxyError
            If there is no graph, it is one of other items or another order, or it cannot be read.
        """
        with readable(self.path):
            table = open_table(self.path, _TABLE)
            if table is None:
                raise EpoxyError(
                    "no neighbour graph yet",
                    where=str(self.path),
                    remedy="`epoxy run TASK` makes it.",
                )
            about = _about(table)
            if about["items"] != _order_digest(item_ids):
                raise EpoxyError(
                    f"the neighbour graph is one of other items ({about['n']} of them, "
                    f"asked for {len(item_ids)})",
                    where=str(self.path),
                    remedy="`epoxy run TASK` makes it for the current items.",
                )
            rows = table.search().select(["indices", "similarity"]).to_arrow()
            shape = (about["n"], about["k"])
            indices, similarity = (
                rows.column(name).combine_chunks() for name in ("indices", "similarity")
            )
            length = indices.value_lengths().to_numpy(zero_copy_only=False)
            there = np.arange(shape[1]) < length[:, None]
            return _filled(there, indices, np.int32(-1)), _filled(
                there, similarity, np.float32(-np.inf)
            )


def _filled(there: npt.NDArray[np.bool_], lists: Any, nobody: Scalar) -> npt.NDArray[Scalar]:
    """Lists of unequal length as rows of a matrix."""
    matrix = np.full(there.shape, nobody)
    matrix[there] = lists.flatten().to_numpy(zero_copy_only=False)
    return matrix


def _about(table: Any) -> dict[str, Any]:
    return dict(json.loads(table.schema.metadata[b"epoxy"]))


def _order_digest(item_ids: Sequence[str]) -> str:
    """Digest of the ids in order; JSON keeps ``["ab"]`` and ``["a", "b"]`` apart."""
    return hashlib.blake2b(json.dumps(list(item_ids)).encode(), digest_size=16).hexdigest()
