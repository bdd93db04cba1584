"""What the end model sees of a text."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assets.encoder import encoder_of
from epoxy_core.embed import LexicalVectors, joined
from epoxy_core.task import Task

if TYPE_CHECKING:  # predictions need no Dagster
    from assets.store import Store

Features = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def features_of(task: Task, lexical: Path) -> Features:
    """What the end model sees of texts that are no items: texts to float32 [n, d].

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
    encoder, weight = encoder_of(task), task.lexical_weight
    if not weight:
        return encoder.encode
    words = LexicalVectors.load(lexical)

    def features(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return joined(encoder.encode(texts), words.transform(texts), weight)

    return features


def features_fingerprint(task: Task, lexical: Path) -> str:
    """What the features of a text depend on besides the text; arguments as of `features_of`."""
    encoder, weight = encoder_of(task).fingerprint, task.lexical_weight
    return f"{encoder}+{weight:g}*{LexicalVectors.load(lexical).fingerprint}" if weight else encoder


def stored_features(task: Task, store: "Store", hashes: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the end model sees of the items, float32 [n, d], in the order of their contents."""
    embeddings = store.embeddings(task).load(list(hashes))
    if not task.lexical_weight:
        return embeddings
    return joined(embeddings, store.lexical(task).read(hashes), task.lexical_weight)
