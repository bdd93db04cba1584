"""The neighbour graph, in LanceDB beside the embeddings."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lance_tables import compact, connect, open_table, readable

_TABLE = "neighbors"


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
            int32 and float32 [n, k].

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

        k = indices.shape[1]
        # Lists of variable length, because a single item has k = 0, which no fixed size allows.
        offsets = pa.array(np.arange(n + 1, dtype=np.int64) * k)
        columns = {
            "indices": pa.array(indices.astype(np.int32, copy=False).ravel()),
            "similarity": pa.array(similarity.astype(np.float32, copy=False).ravel()),
        }
        about = {"items": _order_digest(item_ids), "n": n, "k": k}
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
            int32 and float32 [n, k].

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
                rows.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
                for name in ("indices", "similarity")
            )
            return indices.reshape(shape), similarity.reshape(shape)


def _about(table: Any) -> dict[str, Any]:
    return dict(json.loads(table.schema.metadata[b"epoxy"]))


def _order_digest(item_ids: Sequence[str]) -> str:
    """Digest of the ids in order; JSON keeps ``["ab"]`` and ``["a", "b"]`` apart."""
    return hashlib.blake2b(json.dumps(list(item_ids)).encode(), digest_size=16).hexdigest()
