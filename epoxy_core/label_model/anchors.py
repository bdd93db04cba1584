"""The pseudo-votes that keep EM near the votes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.unique_votes import UniqueVotes
from epoxy_core.labeling import allowed


def kinds_cast(shown: Floats, n_classes: int) -> npt.NDArray[np.bool_]:
    """Whether an LF casts votes of the symbol's kind, bool [m, S]; if none at all, for classes.

    Parameters
    ----------
    shown
        float64 [m, S], `UniqueVotes.symbol_counts`.
    n_classes
        K.
    """
    m, n_symbols = shown.shape
    used = shown.reshape(m, n_symbols // n_classes, n_classes).sum(axis=2) > 0
    used[:, 0] |= ~used.any(axis=1)
    return np.repeat(used, n_classes, axis=1)


def pseudo_votes(
    used: npt.NDArray[np.bool_], n_classes: int, pseudo_count: float, diagonal_count: float
) -> Floats:
    """Pseudo-votes for each symbol and class, float64 [m, S, K], of the kinds an LF casts.

    One that casts votes for and against classes has half of each kind's.

    Parameters
    ----------
    used
        bool [m, S], `kinds_cast`.
    n_classes
        K.
    pseudo_count
        On each symbol and class.
    diagonal_count
        On what is true of the class as well; of votes against one, on the K−1 true ones together.
    """
    true = allowed(n_classes)[: used.shape[1]].astype(np.float64)
    true[n_classes:] /= n_classes - 1
    kinds = used.sum(axis=1) / n_classes
    share = used / kinds[:, None]
    return np.asarray(share[:, :, None] * (pseudo_count + diagonal_count * true))


def silence_pseudo_votes(
    unique: UniqueVotes, speaks: npt.NDArray[np.bool_], anchor: Floats
) -> Floats:
    """Pseudo-counts of silence that leave an LF's coverage what it is, float64 [m, K].

    Parameters
    ----------
    unique
        The votes.
    speaks
        bool [m], LFs whose silence counts; zero for the others.
    anchor
        float64 [m, S, K], `pseudo_votes`; of such an LF only those for the symbol it casts are
        looked at.
    """
    voted = unique.counts @ (unique.patterns >= 0)
    odds = (unique.counts.sum() - voted + 1) / np.maximum(voted, 1)
    symbol = np.where(speaks, unique.patterns.max(axis=0, initial=-1), 0)
    mean = anchor[np.arange(len(anchor)), symbol].mean(axis=1)
    return np.tile((np.where(speaks, odds, 0) * mean)[:, None], anchor.shape[2])


def votes_by_class(cast: Any, mass: Floats, anchor: Floats) -> Floats:
    """Count votes by class, with the pseudo-votes, float64 [m, S, K].

    Parameters
    ----------
    cast
        Sparse [p, m·S], `UniqueVotes.cast`.
    mass
        float64 [p, K], items of each class.
    anchor
        float64 [m, S, K], `pseudo_votes`.
    """
    return np.asarray(cast.T @ mass).reshape(anchor.shape) + anchor


def logarithm(given: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    """Log-probabilities, 0 for kinds of votes that an LF never casts ([m, S], `kinds_cast`)."""
    return np.log(given, out=np.zeros_like(given), where=used[:, :, None])
