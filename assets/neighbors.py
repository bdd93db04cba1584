"""``neighbors``: every item's most similar items; independent of any heuristic."""

import dagster as dg
import numpy as np

from assets.encoder import encoder_of
from assets.keys import CORPUS, key, placed
from assets.scope import items_in_scope, scope_settings
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.borrow_scope import sequence_column
from epoxy_core.neighbors import neighbor_graph, random_similarity
from epoxy_core.task import Task


def neighbors_asset(task: Task) -> dg.AssetsDefinition:
    """The k-nearest-neighbour graph, computed once per version of the embeddings."""
    encoder = encoder_of(task).fingerprint
    k = task.extension.neighbors

    @dg.asset(
        key=key(task, "neighbors"),
        deps=[key(task, "embeddings"), *([key(task, "items")] if sequence_column(task) else [])],
        description=f"The {k} most similar items of every item by cosine, exact{_scope(task)}. "
        "An edited heuristic reads its extension off this graph.",
        code_version=code_version(
            __file__,
            "neighbors/graph.py",
            "neighbors/scope.py",
            "neighbors/similarity.py",
            "borrow_scope.py",
            "item_order.py",
            settings=[encoder, k, scope_settings(task)],
        ),
        **placed(task, CORPUS, "numpy", "lancedb"),
    )
    def neighbors(store: Store) -> dg.MaterializeResult:
        items, scope = items_in_scope(task, store.database(task))
        embeddings = store.embeddings(task).load(items["content_hash"].to_list())
        graph = neighbor_graph(embeddings, k, scope)
        store.neighbors(task).write(items["item_id"].to_list(), graph.indices, graph.similarity)
        nearest = graph.nearest if graph.nearest.size else np.zeros(1)
        sequences = [] if scope is None else [scope.sequences]
        return dg.MaterializeResult(
            data_version=data_version(
                *items["item_id"], graph.indices, graph.similarity, *sequences
            ),
            metadata={
                "dagster/row_count": items.height,
                "k": graph.indices.shape[1],
                "median_nearest_similarity": float(np.median(nearest)),
                "random_pair_similarity": random_similarity(embeddings, scope),
            },
        )

    return neighbors


def _scope(task: Task) -> str:
    """Whose items, to put after "of every item"."""
    column = sequence_column(task)
    return {
        "any": "",
        "same_sequence": f", within its own `{column}`",
        "other_sequences": f", in any other `{column}` than its own",
    }[task.extension.borrow_from]
