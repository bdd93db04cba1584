"""``neighbors``: every item's most similar items; independent of any heuristic."""

from time import perf_counter

import dagster as dg
import numpy as np

from assets.encoder import encoder_of
from assets.keys import CORPUS, key, placed
from assets.scope import items_in_scope, scope_settings
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.borrow_scope import sequence_column
from epoxy_core.neighbors import (
    neighbor_graph,
    random_similarity,
    updated_graph,
    usual_recall,
)
from epoxy_core.task import Task


def neighbors_asset(task: Task) -> dg.AssetsDefinition:
    """The k-nearest-neighbour graph, computed once per version of the embeddings.

    One made with the same settings and code is brought up to date with the items.
    """
    encoder = encoder_of(task).fingerprint
    k, recall = task.extension.neighbors, task.extension.recall
    version = code_version(
        __file__,
        "neighbors",
        "borrow_scope.py",
        "item_order.py",
        settings=[encoder, k, recall, scope_settings(task)],
    )

    @dg.asset(
        key=key(task, "neighbors"),
        deps=[key(task, "embeddings"), *([key(task, "items")] if sequence_column(task) else [])],
        description=f"The {k} most similar items of every item by cosine{_scope(task)}: "
        f"{_share(recall)}. An edited heuristic reads its extension off this graph.",
        code_version=version,
        **placed(task, CORPUS, "numpy", "arrow"),
    )
    def neighbors(store: Store) -> dg.MaterializeResult:
        items, scope = items_in_scope(task, store.database(task))
        embeddings = store.embeddings(task).load(items["content_hash"])
        enough = usual_recall(items.height) if recall == "auto" else recall
        started = perf_counter()
        before = store.neighbors(task).latest(made_with=version)
        if before is None:
            graph = neighbor_graph(embeddings, k, scope, recall=enough)
        else:
            old_row = before.rows_of(items["item_id"], items["content_hash"])
            graph = updated_graph(before.graph, old_row, embeddings, k, scope, recall=enough)
        seconds = perf_counter() - started
        store.neighbors(task).write(items["item_id"], items["content_hash"], graph, version)
        nearest = graph.nearest if graph.nearest.size else np.zeros(1)
        sequences = [] if scope is None else [scope.sequences]
        return dg.MaterializeResult(
            data_version=data_version(
                items.select("item_id"), graph.indices, graph.similarity, *sequences
            ),
            metadata={
                "dagster/row_count": items.height,
                "k": graph.indices.shape[1],
                "recall": graph.recall,
                "engine": graph.engine,
                "seconds": seconds,
                "median_nearest_similarity": float(np.median(nearest)),
                "random_pair_similarity": random_similarity(embeddings, scope),
            },
        )

    return neighbors


def _share(recall: float | str) -> str:
    if recall == "auto":
        return "exactly, or of many items nearly all"
    return "exactly" if recall == 1 else f"{recall:.1%} of them at least"


def _scope(task: Task) -> str:
    """Whose items, to put after "by cosine"."""
    column = sequence_column(task)
    return {
        "any": "",
        "same_sequence": f", within its own `{column}`",
        "other_sequences": f", in any other `{column}` than its own",
    }[task.extension.borrow_from]
