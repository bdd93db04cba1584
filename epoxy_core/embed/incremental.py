"""Embed only what a store does not hold yet, and keep every finished chunk."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError

Content = TypeVar("Content")
_Content_contra = TypeVar("_Content_contra", contravariant=True)


class Encoder(Protocol[_Content_contra]):
    """Anything that turns contents (texts, frames) into unit vectors, chunk by chunk."""

    def encode_batches(
        self, texts: Sequence[_Content_contra], /
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]:
        """Yield (positions, float32 [c, d]) chunks; every position once."""
        ...


class Store(Protocol):
    """Anything that keeps vectors by content hash."""

    def missing(self, hashes: Sequence[str]) -> list[str]:
        """List the hashes not stored yet, each once."""
        ...

    def append(self, hashes: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Keep vectors, durably on return."""
        ...


def embed_missing(
    encoder: Encoder[Content],
    store: Store,
    hashes: Sequence[str],
    contents: Sequence[Content],
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Embed the contents that the store lacks.

    Every chunk is stored as soon as it is there, so a run that is killed continues where it was.

    Parameters
    ----------
    encoder, store
        See `TextEncoder` and `EmbeddingStore`.
    hashes, contents
        n content hashes and what they are hashes of, in the same order; may repeat.
    progress
        Called with (embedded, to embed), at the start and after every chunk.

    Returns
    -------
    int
        How many contents were embedded.

    Raises
    ------
    EpoxyError
        If the lengths differ, or from the encoder or the store.
    """
    if len(hashes) != len(contents):
        raise EpoxyError(
            f"{len(hashes)} content hashes for {len(contents)} contents",
            remedy="Take both from the same items frame.",
        )
    wanted = store.missing(hashes)
    content_of = dict(zip(hashes, contents, strict=True))
    done = 0
    if progress is not None:
        progress(done, len(wanted))
    if not wanted:
        return 0
    for rows, vectors in encoder.encode_batches([content_of[name] for name in wanted]):
        store.append([wanted[row] for row in rows], vectors)
        done += len(rows)
        if progress is not None:
            progress(done, len(wanted))
    return done
