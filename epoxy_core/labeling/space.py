"""The space of embeddings that vector labeling functions vote in."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

Vectors = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Query = TypeVar("Query", str, Image)


class QueryEncoder(Protocol):
    """Encodes what items are compared with. An encoder without that tower raises `EpoxyError`."""

    def encode_texts(self, texts: Sequence[str], /) -> Vectors:
        """float32 [c, d], unit rows."""

    def encode_images(self, images: Sequence[Image], /) -> Vectors:
        """float32 [c, d], unit rows; images are RGB, uint8 [height, width, 3]."""


class VectorSpace:
    """The items' vectors, and those of texts and images in the same space, on demand.

    Parameters
    ----------
    load
        Gives float32 [n, d], unit rows, in the order of the items; called when first needed.
    encoder
        Of the model that made them; None if texts and images cannot be encoded here.
    """

    def __init__(self, load: Callable[[], Vectors], encoder: QueryEncoder | None = None) -> None:
        self._load = load
        self._encoder = encoder
        self._known: dict[str | bytes, npt.NDArray[np.float32]] = {}

    @cached_property
    def vectors(self) -> Vectors:
        """The items' vectors, float32 [n, d], unit rows; read-only."""
        vectors = self._load().view()
        vectors.flags.writeable = False
        return vectors

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, float32 [c, d], unit rows; each text is encoded once.

        Raises
        ------
        EpoxyError
            If the encoder reads no text.
        """
        return self._encoded(texts, texts, lambda encoder: encoder.encode_texts)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Vectors of RGB images (uint8 [height, width, 3]), float32 [c, d]; as `encode_texts`."""
        keys = [hashlib.blake2b(repr(i.shape).encode() + i.tobytes()).digest() for i in images]
        return self._encoded(keys, images, lambda encoder: encoder.encode_images)

    def _encoded(
        self,
        keys: Sequence[str] | Sequence[bytes],
        queries: Sequence[Query],
        method: Callable[[QueryEncoder], Callable[[Sequence[Query]], Vectors]],
    ) -> Vectors:
        new: dict[Any, Query] = {
            key: query for key, query in zip(keys, queries, strict=True) if key not in self._known
        }
        if new:
            if self._encoder is None:
                raise EpoxyError(
                    "there is no encoder for examples and prompts here",
                    remedy="Make the VectorSpace with the encoder of the items' vectors.",
                )
            vectors = method(self._encoder)(list(new.values()))
            self._known.update(zip(new, np.asarray(vectors, np.float32), strict=True))
        return np.stack([self._known[key] for key in keys])
