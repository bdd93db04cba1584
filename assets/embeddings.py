"""``embeddings``: a vector per item, embedded once per content and encoder."""

from collections.abc import Callable

import dagster as dg
import numpy as np
import polars as pl

from assets.encoder import clip_encoder, encoder_of, text_encoder
from assets.keys import CORPUS, key, placed
from assets.progress import progress
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.corpus import task_videos
from epoxy_core.embed import FrameContent, embed_missing
from epoxy_core.errors import EpoxyError
from epoxy_core.task import Task

TEXT = ("incremental", "load", "models", "runtime", "text")
VIDEO = (
    "incremental",
    "runtime",
    "frames",
    "feed",
    "pixels",
    "clip",
    "clip_load",
    "clip_models",
    "clip_tower",
    "clip_precision",
    "pooling",
)


def embeddings_asset(task: Task) -> dg.AssetsDefinition:
    """Embeddings in LanceDB; only new and changed texts or frames are embedded."""
    encoder = encoder_of(task).fingerprint
    what, kind = ("item's frames", "openclip") if task.video else ("text", "sentence-transformers")
    modules = (f"embed/{name}.py" for name in (VIDEO if task.video else TEXT))
    inputs = ["items", "frames"] if task.video else ["items"]

    @dg.asset(
        key=key(task, "embeddings"),
        deps=[key(task, name) for name in inputs],
        description=f"Unit vectors of every {what} by `{encoder_of(task).name}`, stored as float16 "
        f"under the hash of the {what}: a second run embeds nothing.",
        code_version=code_version(__file__, *modules, settings=encoder),
        op_tags={"dagster/priority": "1"},
        pool="embed",
        **placed(task, CORPUS, kind, "lancedb"),
    )
    def embeddings(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        items = store.database(task).query("SELECT content_hash FROM items ORDER BY item_id")
        hashes = items["content_hash"]
        vectors = store.embeddings(task)
        with progress(context, "embedding") as report:
            embedded = _embed(task, store, hashes, report)
        version = data_version(encoder, items)
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


def _embed(task: Task, store: Store, hashes: pl.Series, report: Callable[[int, int], None]) -> int:
    """Embed what the store lacks; say how many contents that were."""
    vectors = store.embeddings(task)
    if not vectors.missing(hashes):
        report(0, 0)
        return 0
    if task.video:
        names = hashes.to_list()
        return embed_missing(
            clip_encoder(task), vectors, names, _frames(task, store, names), report
        )
    texts = store.database(task).query("SELECT text FROM items ORDER BY item_id")["text"]
    return embed_missing(text_encoder(task), vectors, hashes.to_list(), texts.to_list(), report)


def _frames(task: Task, store: Store, hashes: list[str]) -> list[FrameContent]:
    """Which frames of which file make each content."""
    videos = task_videos(task)
    paths = {video.identity: video.path for video in videos}
    scanned = store.frames(task).load(list(paths)).items
    found = {
        content: FrameContent(paths[identity], tuple(frames))
        for content, identity, frames in scanned.select(
            "content_hash", "identity", "frames"
        ).iter_rows()
    }
    try:
        return [found[content] for content in hashes]
    except KeyError as error:
        raise EpoxyError(
            "a video is another than when it was decoded",
            where=str(task.folder),
            remedy="Let its files be, and run again.",
        ) from error


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
        vectors = store.embeddings(task).load(hashes)
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        bad = int((~np.isclose(norms, 1, atol=0.01)).sum())
        return dg.AssetCheckResult(
            passed=bad == 0, metadata={"bad_vectors": bad, "items": len(norms)}
        )

    return finite_unit_vectors
