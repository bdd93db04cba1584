"""Votes by the items' embeddings: the rules behind `similar` and `prompts`, and users' own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.images import read_image
from epoxy_core.labeling.lf import LabelingFunction
from epoxy_core.labeling.space import Vectors, VectorSpace

ROUNDING = 1e-6
"""By how much a cosine may miss a bound: that of a unit vector with itself is not always 1."""

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class NearestExample:
    """True of items whose cosine to the nearest example is at least ``at_least``.

    The examples are given in one of three ways: ids of items, texts, or image files.
    """

    at_least: float
    items: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    def __call__(self, folder: Path, space: VectorSpace, items: pl.DataFrame) -> pl.Series:
        """Boolean [n]."""
        if self.items:
            examples = space.vectors[self.rows(items)]
        elif self.texts:
            examples = space.encode_texts(self.texts)
        else:
            examples = space.encode_images([read_image(folder / file) for file in self.images])
        near = best_cosine(space.vectors, examples) >= self.at_least - ROUNDING
        return pl.Series(near)

    def rows(self, items: pl.DataFrame) -> list[int]:
        """Rows of the example items.

        Raises
        ------
        EpoxyError
            If there is no item of that id; names those.
        """
        rows = dict(zip(items["item_id"], range(items.height), strict=True))
        unknown = [name for name in self.items if name not in rows]
        if unknown:
            shown = ", ".join(map(repr, unknown[:5])) + (", …" if len(unknown) > 5 else "")
            raise EpoxyError(
                f"{len(unknown)} of the {len(self.items)} example items do not exist: {shown}",
                remedy="Give ids as in the column item_id of the table items.",
            )
        return [rows[name] for name in self.items]


@dataclass(frozen=True)
class NearPrompts:
    """True of items near to the mean of some prompts, as such or compared with other prompts.

    Their cosine with the mean prompt must be at least ``at_least``, and by ``margin`` more than
    that with the best of ``against``; a condition that is not given counts as met.
    """

    prompts: tuple[str, ...]
    against: tuple[str, ...]
    margin: float
    at_least: float | None

    def __call__(self, folder: Path, space: VectorSpace, items: pl.DataFrame) -> pl.Series:
        """Boolean [n]."""
        mean = space.encode_texts(self.prompts).mean(axis=0, keepdims=True)
        own = best_cosine(space.vectors, mean / np.linalg.norm(mean))
        near = np.ones(len(own), np.bool_)
        if self.against:
            best = best_cosine(space.vectors, space.encode_texts(self.against))
            near &= own - best >= self.margin - ROUNDING
        if self.at_least is not None:
            near &= own >= self.at_least - ROUNDING
        return pl.Series(near)


def best_cosine(vectors: Vectors, others: Vectors) -> npt.NDArray[np.float32]:
    """Cosine of each vector to the nearest of some others.

    Parameters
    ----------
    vectors, others
        float32 [n, d] and [c, d], unit rows.

    Returns
    -------
    ndarray
        float32 [n].

    Raises
    ------
    EpoxyError
        If their dimensions differ.
    """
    if vectors.shape[1] != others.shape[1]:
        raise EpoxyError(
            f"the items' vectors have {vectors.shape[1]} dimensions, those of examples or prompts "
            f"{others.shape[1]}",
            remedy="Both must come from one encoder.",
        )
    best = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        best[block] = (vectors[block] @ others.T).max(axis=1)
    return best


def vector_column(lf: LabelingFunction, items: pl.DataFrame, space: VectorSpace) -> pl.Series:
    """Run a vector labeling function: n votes, as a column that an expression could give.

    Raises
    ------
    EpoxyError
        If the space is of other items, or an example or prompt cannot be encoded.
    TypeError, ValueError
        If the function returns something else. What it raises passes through.
    """
    if len(space.vectors) != items.height:
        raise EpoxyError(
            f"{len(space.vectors)} vectors for {items.height} items",
            where=str(lf.location or lf.name),
            remedy="Give the VectorSpace of these very items.",
        )
    if lf.kind == "vector_heuristic":
        return pl.Series(lf.function(lf.folder, space, items))
    votes = lf.function(space.vectors, items)
    if not isinstance(votes, pl.Series | np.ndarray | Sequence) or isinstance(votes, str):
        raise TypeError(f"returned {type(votes).__name__}, not an array, list or Series of votes")
    if isinstance(votes, np.ndarray) and votes.dtype == np.object_:
        votes = votes.tolist()
    if len(votes) != items.height:
        raise ValueError(f"returned {len(votes)} votes for {items.height} items")
    return votes if isinstance(votes, pl.Series) else pl.Series(votes)


def check_examples(lf: LabelingFunction, items: pl.DataFrame) -> None:
    """Look at a labeling function's examples without encoding anything.

    Raises
    ------
    EpoxyError
        If an example item does not exist, or an image cannot be read; names the function.
    """
    if not isinstance(lf.function, NearestExample):
        return
    try:
        lf.function.rows(items)
        for file in lf.function.images:
            read_image(lf.folder / file)
    except EpoxyError as error:
        raise EpoxyError(
            f"{lf.name!r}: {f'{error.where}: ' if error.where else ''}{error.problem}",
            where=str(lf.location or ""),
            remedy=error.remedy,
        ) from error
