"""What the end model sees of an item."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.encoder import clip_encoder, encoder_of, text_encoder
from epoxy_core.embed import FrameContent, LexicalVectors, joined
from epoxy_core.task import Task

if TYPE_CHECKING:  # predictions need no Dagster
    from assets.store import Store

Features = Callable[[pl.DataFrame], npt.NDArray[np.float32]]


def features_of(task: Task, lexical: Path) -> Features:
    """What the end model sees of what is no item: rows to float32 [n, d].

    Rows have a text; those of videos their path and the numbers of the frames to embed, too.

    Parameters
    ----------
    task
        Its encoder is loaded once, on first use.
    lexical
        The file of the lexical vectors of its items, which says how others get theirs.

    Raises
    ------
    EpoxyError
        If the end model reads lexical vectors and there are none.
    """
    embed, weight = _embedding(task), task.lexical_weight
    if not weight:
        return embed
    words = LexicalVectors.load(lexical)

    def features(rows: pl.DataFrame) -> npt.NDArray[np.float32]:
        return joined(embed(rows), words.transform(rows["text"].to_list()), weight)

    return features


def _embedding(task: Task) -> Features:
    if task.video is None:
        texts = text_encoder(task)
        return lambda rows: texts.encode(rows["text"].to_list())
    frames = clip_encoder(task)

    def embed(rows: pl.DataFrame) -> npt.NDArray[np.float32]:
        contents = [
            FrameContent(Path(path), tuple(numbers))
            for path, numbers in rows.select("path", "frames").iter_rows()
        ]
        vectors = np.empty((len(contents), frames.dimension), np.float32)
        for found, chunk in frames.encode_batches(contents):
            vectors[found] = chunk
        return vectors

    return embed


def features_fingerprint(task: Task, lexical: Path) -> str:
    """What features depend on besides the content; arguments as of `features_of`."""
    encoder, weight = encoder_of(task).fingerprint, task.lexical_weight
    return f"{encoder}+{weight:g}*{LexicalVectors.load(lexical).fingerprint}" if weight else encoder


def stored_features(task: Task, store: "Store", hashes: pl.Series) -> npt.NDArray[np.float16]:
    """What the end model sees of the items, float16 [n, d], in the order of their contents.

    Half precision is what is stored, and a million items fit in memory.
    """
    embeddings, weight = store.embeddings(task), task.lexical_weight
    split = embeddings.dimension or 0
    words = store.lexical(task).read(hashes) if weight else np.empty((len(hashes), 0), np.float16)
    features = np.empty((len(hashes), split + words.shape[1]), np.float16)
    embeddings.read_into(hashes, features[:, :split])
    np.multiply(words, np.float16(weight), out=features[:, split:])
    return features
