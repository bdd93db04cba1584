"""Lexical vectors of a task's items, with what makes them, in one file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.embed import LexicalVectors
from epoxy_core.embed.lexical_file import read_tensors, write_tensors
from epoxy_core.errors import EpoxyError

_VECTORS, _CONTENTS = "vectors", "contents"


class LexicalStore:
    """One set of vectors, replaced as a whole: a reader sees the old one or the new one.

    Parameters
    ----------
    path
        The safetensors file. `LexicalVectors.load` reads its own part of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self,
        hashes: Sequence[str] | pl.Series,
        vectors: npt.NDArray[np.float16],
        vectorizer: LexicalVectors,
    ) -> None:
        """Replace the vectors and what made them.

        Parameters
        ----------
        hashes
            Content hashes of the n items, in order.
        vectors
            float16 [n, r].
        vectorizer
            What gave them.

        Raises
        ------
        EpoxyError
            If the shapes do not fit, or the file cannot be written.
        """
        shape = (len(hashes), len(vectorizer.components_))
        if vectors.shape != shape:
            raise EpoxyError(
                f"lexical vectors of shape {vectors.shape}, not {shape}", where=str(self.path)
            )
        tensors = {**vectorizer.tensors(), _VECTORS: vectors}
        about = {"fingerprint": vectorizer.fingerprint, _CONTENTS: _order_digest(hashes)}
        write_tensors(self.path, tensors, about)

    def read(self, hashes: Sequence[str] | pl.Series) -> npt.NDArray[np.float16]:
        """Vectors of these contents.

        Parameters
        ----------
        hashes
            Content hashes of all items, in the order written.

        Returns
        -------
        ndarray
            float16 [n, r], unit rows or zeros.

        Raises
        ------
        EpoxyError
            If there are none, they are of other texts or another order, or the file is damaged.
        """
        tensors, about = read_tensors(self.path, [_VECTORS])
        if about.get(_CONTENTS) != _order_digest(hashes):
            raise EpoxyError(
                f"the lexical vectors are of other texts ({len(tensors[_VECTORS])} of them, "
                f"asked for {len(hashes)})",
                where=str(self.path),
                remedy="`epoxy run TASK` makes them for the current items.",
            )
        return tensors[_VECTORS]

    def vectorizer(self) -> LexicalVectors:
        """What made the vectors, for texts that are not items.

        Raises
        ------
        EpoxyError
            If there is none, or the file is damaged.
        """
        return LexicalVectors.load(self.path)


def _order_digest(hashes: Sequence[str] | pl.Series) -> str:
    return hashlib.blake2b("\n".join(hashes).encode(), digest_size=16).hexdigest()
