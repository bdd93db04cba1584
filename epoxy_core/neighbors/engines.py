"""Ways to find the neighbours of all, and which of them suffices."""

from typing import Literal

from epoxy_core.neighbors import gpu
from epoxy_core.neighbors.candidates.all_pairs import all_pairs
from epoxy_core.neighbors.cells.centroids import cell_by_cell
from epoxy_core.neighbors.exact import Numbers, exact, exact_by_bfloat16
from epoxy_core.neighbors.formats import INT8, Vectors, native
from epoxy_core.neighbors.rescoring import Found, rescored_in

Engine = Literal["float32", "bfloat16", "int8", "cells", "cuda"]
"""float32, bfloat16, cuda: exact, by a first pass in that format, or on a GPU. int8: all pairs in
int8, rescored. cells: only pairs in near cells, see `cells`."""

EXACT: tuple[Engine, ...] = ("float32", "bfloat16", "cuda")

_FEW = 20_000
"""Items up to which a first pass in float32 takes no time worth saving."""
_MANY = 200_000
"""Items above which cells are searched: of fewer, all pairs in int8 take seconds."""
_INT8_RECALL, _INT8_RECALL_WITHOUT_SPARE = 0.998, 0.98
_CELLS_RECALL = 0.96


def usual_recall(n: int) -> float:
    """The recall of ``extension.recall: auto``: exact until that takes a while."""
    return 1.0 if n <= 50_000 else 0.99 if n <= _MANY else 0.95


def choose(n: int, recall: float) -> Engine:
    """Choose the fastest engine whose recall, measured on text embeddings, suffices."""
    if n <= _FEW:
        return "float32"
    if gpu.available():
        return "cuda"
    if n > _MANY and recall <= _CELLS_RECALL:
        return "cells"
    if recall <= _INT8_RECALL and native("int8"):
        return "int8"
    return "bfloat16" if native("bfloat16") else "float32"


def better(engine: Engine) -> Engine:
    """The engine to turn to where an approximate one found less than was asked."""
    if engine == "cells" and native("int8"):
        return "int8"
    return "bfloat16" if native("bfloat16") else "float32"


def search(
    engine: Engine, vectors: Vectors, width: int, recall: float, apart: Numbers | None = None
) -> Found:
    """Find the ``width`` most similar items of every item; see `exact.exact`."""
    if engine == "int8":
        return _by_int8(vectors, width, recall)
    if engine == "cells":
        from epoxy_core.neighbors.cells.search import by_cells

        return by_cells(vectors, width, recall)
    if engine == "bfloat16":
        return exact_by_bfloat16(vectors, width, apart)
    return exact(vectors, width, apart, "cuda" if engine == "cuda" else "cpu")


def _by_int8(vectors: Vectors, width: int, recall: float) -> Found:
    encoded = INT8.encode(vectors)
    order = cell_by_cell(vectors, encoded, INT8)
    spare = 0 if recall <= _INT8_RECALL_WITHOUT_SPARE else max(2, width // 12)
    best = all_pairs(encoded[order], INT8, min(len(order) - 1, width + spare))
    return rescored_in(order, vectors, best.rows, width)
