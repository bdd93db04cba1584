"""The space of a task's embeddings, for vector labeling functions."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.encoder import encoder_of
from assets.store import Store
from epoxy_core.embed import TextEncoder
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import QueryEncoder, VectorSpace
from epoxy_core.task import Task


def vector_space(task: Task, store: Store, content_hashes: pl.Series) -> VectorSpace:
    """The stored vectors of items, and the encoder that made them; nothing is loaded yet."""
    return VectorSpace(lambda: store.embeddings(task).load(content_hashes), Queries(task))


class Queries:
    """Encodes examples and prompts with the task's encoder, made when first needed."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def encode_texts(self, texts: Sequence[str], /) -> npt.NDArray[np.float32]:
        """float32 [c, d], unit rows."""
        return self._encoder.encode_texts(texts)

    def encode_images(self, images: Sequence[npt.NDArray[np.uint8]], /) -> npt.NDArray[np.float32]:
        """float32 [c, d], unit rows; images are RGB, uint8 [height, width, 3]."""
        return self._encoder.encode_images(images)

    @cached_property
    def _encoder(self) -> QueryEncoder:
        encoder = encoder_of(self._task)
        return _TextQueries(encoder) if isinstance(encoder, TextEncoder) else encoder


class _TextQueries:
    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder

    def encode_texts(self, texts: Sequence[str], /) -> npt.NDArray[np.float32]:
        return self._encoder.encode(texts)

    def encode_images(self, images: Sequence[npt.NDArray[np.uint8]], /) -> npt.NDArray[np.float32]:
        raise EpoxyError(
            f"the encoder {self._encoder.name} reads texts, and is given images",
            remedy="Give examples by `items` or `texts`.",
        )
