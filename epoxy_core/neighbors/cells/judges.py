"""A sample of items whose true neighbours are known: they say when enough is found."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors.exact import exact_rows
from epoxy_core.neighbors.formats import Vectors
from epoxy_core.neighbors.rescoring import rescored

_JUDGES = 384
_SEED = 1  # not that of the sample on which the recall is measured in the end


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """Some items and their true neighbours.

    Attributes
    ----------
    rows
        int64 [j], the items.
    indices, similarity
        int32 and float32 [j, width].
    """

    rows: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]

    @classmethod
    def drawn(cls, vectors: Vectors, width: int) -> "Judges":
        """Draw some, and find their ``width`` neighbours exactly."""
        n = len(vectors)
        drawn = np.random.default_rng(_SEED).choice(n, size=min(_JUDGES, n), replace=False)
        rows = np.sort(drawn)
        return cls(rows, *exact_rows(vectors, rows, width))

    def probes_needed(self, vectors: Vectors, middles: Vectors, recall: float) -> int:
        """How many cells to probe so that this share of the neighbours is found.

        At most a quarter of all. A pair is found if either probes the other's cell.
        """
        needed = np.empty_like(self.indices)
        for i in range(len(self.rows)):
            products = vectors[[self.rows[i], *self.indices[i]]] @ middles.T
            own = products.argmax(axis=1)
            there = products[0] > products[0, own[1:], None]
            back = products[1:] > products[1:, own[0], None]
            needed[i] = np.minimum(there.sum(axis=1), back.sum(axis=1)) + 1
        most = max(1, len(middles) // 4)
        return min(most, int(np.quantile(needed, recall, method="higher")))

    def recall(self, vectors: Vectors, candidates: npt.NDArray[np.int32]) -> float:
        """The share of their neighbours among their own candidates, int32 [j, ≥ width]."""
        _, found = rescored(vectors, self.rows, candidates, self.similarity.shape[1])
        return float((found >= self.similarity[:, -1:]).mean())
