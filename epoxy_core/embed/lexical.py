"""Lexical vectors: what the words themselves say, beside what a sentence encoder made of them."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from epoxy_core.embed.lexical_file import read_tensors, write_tensors
from epoxy_core.embed.lexical_fit import READING, directions_of, sample, term_counts

_LEAST_TEXTS = 2
_TEXTS_AT_ONCE = 10_000
_NOTHING = 1e-6
_TENSORS = ("terms", "idf", "components", "explained")


class LexicalVectors:
    """TF-IDF of words and word pairs, reduced by a truncated SVD (latent semantic analysis).

    Terms are lower case, without accents, and in at least two distinct texts; the most frequent
    of them are kept, by the number of texts. What is fitted depends on the set of distinct texts
    only: neither on their order nor on repeats. Where texts share no words at all (empty, numbers
    of one digit, every text another language) there are no terms, and vectors have no columns.

    Parameters
    ----------
    dimensions
        Most columns of a vector.
    max_terms
        Most terms.
    max_texts
        Distinct texts fitted on: those whose content hash is least, so that new texts move the
        sample by their own share only. Long texts make a smaller sample (50 million
        characters).

    Attributes
    ----------
    terms_
        V terms, sorted.
    idf_
        float32 [V], inverse document frequencies.
    components_
        float16 [r, V], right singular vectors; r is less than ``dimensions`` where the texts'
        rank is.
    explained_
        Share of the squared length of the sample's TF-IDF vectors that r dimensions keep.
    """

    terms_: list[str]
    idf_: npt.NDArray[np.float32]
    components_: npt.NDArray[np.float16]
    explained_: float

    def __init__(
        self, dimensions: int = 256, max_terms: int = 20_000, max_texts: int = 50_000
    ) -> None:
        self.dimensions = dimensions
        self.max_terms = max_terms
        self.max_texts = max_texts

    def fit(self, texts: Sequence[str]) -> Self:
        """Choose terms and directions.

        Parameters
        ----------
        texts
            n texts.
        """
        from sklearn.feature_extraction.text import TfidfTransformer

        counts, terms = term_counts(sample(texts, self.max_texts))
        frequency = np.bincount(counts.indices, minlength=len(terms))
        shared = np.flatnonzero(frequency >= _LEAST_TEXTS)
        kept = np.sort(shared[np.argsort(-frequency[shared], kind="stable")][: self.max_terms])
        self.terms_ = [terms[term] for term in kept]
        self._forget()
        if not self.terms_:
            self.idf_ = np.empty(0, np.float32)
            self.components_ = np.empty((0, 0), np.float16)
            self.explained_ = 0.0
            return self
        weighing = TfidfTransformer(sublinear_tf=True)
        weighted = weighing.fit_transform(counts[:, kept])
        singular, directions = directions_of(weighted, self.dimensions)
        self.idf_ = np.asarray(weighing.idf_, np.float32)
        # Rounded here, so that vectors are the same before and after saving.
        self.components_ = directions.astype(np.float16)
        share = np.square(singular, dtype=float).sum() / np.square(weighted.data, dtype=float).sum()
        self.explained_ = min(1.0, float(share))
        return self

    def transform(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[np.float32]:
        """Vectors of texts, whether fitted on or not; a text's vector depends on nothing else.

        Parameters
        ----------
        texts
            n texts.
        progress
            Called with (texts done, n) after every chunk.

        Returns
        -------
        ndarray
            float32 [n, r], unit rows; a row of zeros where no term is known.
        """
        vectors = np.zeros((len(texts), len(self.components_)), np.float32)
        if not vectors.size:
            return vectors
        directions = np.ascontiguousarray(self.components_.T, np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            chunk = texts[start : start + _TEXTS_AT_ONCE]
            block = self._weigher.transform(chunk) @ directions
            lengths = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
            some = lengths > _NOTHING
            vectors[start : start + len(chunk)] = block * some / np.where(some, lengths, 1)
            if progress is not None:
                progress(start + len(chunk), len(texts))
        return vectors

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what a vector depends on besides its text."""
        digest = hashlib.blake2b(digest_size=16)
        for name in ("terms", "idf", "components"):
            digest.update(name.encode() + self.tensors()[name].tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write terms and directions to a safetensors file, whole or not at all.

        Raises
        ------
        EpoxyError
            If it cannot be written.
        """
        write_tensors(path, self.tensors(), {"fingerprint": self.fingerprint})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; gives the same vectors, bit by bit.

        Raises
        ------
        EpoxyError
            If the file is absent, damaged or another.
        """
        tensors, _ = read_tensors(path, _TENSORS)
        loaded = cls()
        terms = tensors["terms"].tobytes().decode()
        loaded.terms_ = terms.split("\n") if terms else []
        loaded.idf_, loaded.components_ = tensors["idf"], tensors["components"]
        loaded.explained_ = float(tensors["explained"][0])
        return loaded

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """What was fitted, as arrays: what `save` writes."""
        terms = np.frombuffer("\n".join(self.terms_).encode(), np.uint8)
        explained = np.array([self.explained_])
        return dict(zip(_TENSORS, (terms, self.idf_, self.components_, explained), strict=True))

    @cached_property
    def _weigher(self) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        weigher = TfidfVectorizer(vocabulary=self.terms_, sublinear_tf=True, **READING)
        weigher.idf_ = self.idf_
        return weigher

    def _forget(self) -> None:
        """What was derived from an earlier fit."""
        for name in ("fingerprint", "_weigher"):
            self.__dict__.pop(name, None)
