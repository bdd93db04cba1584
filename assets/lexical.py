"""``lexical``: a vector of its words per item, beside the encoder's."""

from time import perf_counter

import dagster as dg
import numpy as np

from assets.keys import CORPUS, key, placed
from assets.progress import progress
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.embed import LexicalVectors
from epoxy_core.task import Task


def lexical_asset(task: Task) -> dg.AssetsDefinition:
    """Lexical vectors, fitted again whenever a text is new, changed or gone.

    Vectors of an earlier fit would make a result depend on the order in which texts came.
    """

    @dg.asset(
        key=key(task, "lexical"),
        deps=[key(task, "items")],
        description="TF-IDF of words and word pairs, reduced to at most 256 dimensions: what "
        "single words say, where the encoder smooths it away.",
        code_version=code_version(__file__, "embed/lexical.py", "embed/lexical_fit.py"),
        **placed(task, CORPUS, "scikitlearn"),
    )
    def lexical(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        items = store.database(task).query("SELECT content_hash, text FROM items ORDER BY item_id")
        hashes, texts = items["content_hash"], items["text"].to_list()
        start = perf_counter()
        vectorizer = LexicalVectors().fit(texts)
        fitted = perf_counter()
        with progress(context, "lexical vectors") as report:
            vectors = vectorizer.transform(texts, report).astype(np.float16)
        done = perf_counter()
        store.lexical(task).write(hashes, vectors, vectorizer)
        return dg.MaterializeResult(
            data_version=data_version(
                vectorizer.fingerprint, items.select("content_hash"), vectors
            ),
            metadata={
                "dagster/row_count": len(hashes),
                "terms": len(vectorizer.terms_),
                "dimensions": vectors.shape[1],
                "explained_variance": vectorizer.explained_,
                "items_without_a_known_term": int((~vectors.any(axis=1)).sum()),
                "fit_seconds": fitted - start,
                "transform_seconds": done - fitted,
                "saved_to": dg.MetadataValue.path(str(store.lexical(task).path)),
            },
        )

    return lexical
