"""``neighbors``: every item's most similar items; independent of any heuristic."""

import dagster as dg
import numpy as np

from assets.encoder import encoder_of
from assets.keys import CORPUS, key, placed
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.extension import neighbor_graph, random_similarity
from epoxy_core.task import Task


def neighbors_asset(task: Task) -> dg.AssetsDefinition:
    """The k-nearest-neighbour graph, computed once per version of the embeddings."""
    encoder = encoder_of(task).fingerprint
    k = task.extension.neighbors

    @dg.asset(
        key=key(task, "neighbors"),
        deps=[key(task, "embeddings")],
        description=f"The {k} most similar items of every item by cosine, exact. An edited "
        "heuristic reads its extension off this graph.",
        code_version=code_version(__file__, "extension/neighbors.py", settings=[encoder, k]),
        **placed(task, CORPUS, "numpy", "lancedb"),
    )
    def neighbors(store: Store) -> dg.MaterializeResult:
        items = store.database(task).query(
            "SELECT item_id, content_hash FROM items ORDER BY item_id"
        )
        embeddings = store.embeddings(task).load(items["content_hash"].to_list())
        graph = neighbor_graph(embeddings, k)
        store.neighbors(task).write(items["item_id"].to_list(), graph.indices, graph.similarity)
        nearest = graph.similarity[:, 0] if graph.similarity.size else np.zeros(1)
        return dg.MaterializeResult(
            data_version=data_version(*items["item_id"], graph.indices, graph.similarity),
            metadata={
                "dagster/row_count": items.height,
                "k": graph.indices.shape[1],
                "median_nearest_similarity": float(np.median(nearest)),
                "random_pair_similarity_99th": random_similarity(embeddings),
            },
        )

    return neighbors
