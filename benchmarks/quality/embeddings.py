"""Texts embedded by the product's encoder, once per model and texts."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epoxy_core.embed import TextEncoder


def cached_embeddings(
    encoder: TextEncoder, texts: Sequence[str], folder: Path
) -> npt.NDArray[np.float32]:
    """Embed texts, or read the vectors that an earlier run kept (as float16, like the product).

    Parameters
    ----------
    encoder
        Its fingerprint is part of the file's name.
    texts
        n texts.
    folder
        Of the cache; made if absent.

    Returns
    -------
    float32 [n, d], rows of unit length up to the rounding to float16.
    """
    digest = hashlib.blake2b(encoder.fingerprint.encode(), digest_size=16)
    for text in texts:
        content = text.encode()
        digest.update(f"\0{len(content)}\0".encode() + content)
    file = folder / f"{digest.hexdigest()}.npz"
    if not file.exists():
        vectors = encoder.encode(texts).astype(np.float16)
        folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez(part, vectors=vectors)
        os.replace(part, file)
    with np.load(file) as stored:
        return np.asarray(stored["vectors"], dtype=np.float32)
