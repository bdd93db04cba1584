"""``embeddings``: a vector per item, embedded once per content and encoder."""

import dagster as dg
import numpy as np

from assets.encoder import encoder_of
from assets.keys import CORPUS, key, placed
from assets.progress import progress
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.embed import embed_missing
from epoxy_core.task import Task

ENCODING = tuple(
    f"embed/{name}.py" for name in ("incremental", "load", "models", "runtime", "text")
)


def embeddings_asset(task: Task) -> dg.AssetsDefinition:
    """Embeddings in LanceDB; only new and changed texts are embedded."""
    encoder = encoder_of(task).fingerprint

    @dg.asset(
        key=key(task, "embeddings"),
        deps=[key(task, "items")],
        description=f"Unit vectors of every text by `{encoder_of(task).name}`, stored as float16 "
        "under the hash of the text: a second run embeds nothing.",
        code_version=code_version(__file__, *ENCODING, settings=encoder),
        op_tags={"dagster/priority": "1"},
        pool="embed",
        **placed(task, CORPUS, "sentence-transformers", "lancedb"),
    )
    def embeddings(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        items = store.database(task).query("SELECT content_hash, text FROM items ORDER BY item_id")
        hashes, texts = items["content_hash"].to_list(), items["text"].to_list()
        vectors = store.embeddings(task)
        with progress(context, "embedding") as report:
            embedded = embed_missing(
                encoder_of(task),
                vectors,
                hashes,
                texts,
                report,
            )
        version = data_version(encoder, *hashes)
        vectors.tag(version.value)
        if embedded:
            vectors.compact()
        return dg.MaterializeResult(
            data_version=version,
            metadata={
                "dagster/row_count": len(hashes),
                "embedded_now": embedded,
                "already_stored": len(hashes) - embedded,
                "dimension": vectors.dimension,
                "encoder": encoder,
            },
        )

    return embeddings


def embeddings_check(task: Task) -> dg.AssetChecksDefinition:
    """No embedding is NaN, infinite or zero."""

    @dg.asset_check(
        asset=key(task, "embeddings"),
        name="finite_unit_vectors",
        description="Every item has a vector, finite and of length one.",
        blocking=True,
    )
    def finite_unit_vectors(store: Store) -> dg.AssetCheckResult:
        hashes = store.database(task).query("SELECT content_hash FROM items")["content_hash"]
        norms = np.linalg.norm(store.embeddings(task).load(hashes.to_list()), axis=1)
        bad = int((~np.isclose(norms, 1, atol=0.01)).sum())
        return dg.AssetCheckResult(
            passed=bad == 0, metadata={"bad_vectors": bad, "items": len(norms)}
        )

    return finite_unit_vectors
