"""Votes as numbers: what each symbol says of each class, and what a probability does to it.

With K classes a vote v is a class if v < K, and *not the class* v − K from K to 2K−1; −1 abstains.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Votes = npt.NDArray[np.int8]
Strength = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def symbol_names(classes: Sequence[str]) -> list[str]:
    """Names of all 2K symbols: the classes, then ``not`` each of them."""
    return [*classes, *(f"not {name}" for name in classes)]


def has_negative(votes: Votes, n_classes: int) -> bool:
    """Whether any vote is against a class."""
    return bool(votes.size) and int(votes.max()) >= n_classes


def allowed(n_classes: int) -> npt.NDArray[np.bool_]:
    """Bool [2K, K]: whether an item of the class makes the symbol's statement true."""
    own = np.eye(n_classes, dtype=np.bool_)
    return np.concatenate([own, ~own])


def spread(n_classes: int) -> Floats:
    """float64 [2K, K]: one vote, shared evenly by the classes that the symbol allows."""
    table = allowed(n_classes).astype(np.float64)
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def fractions(
    votes: npt.NDArray[np.integer], strength: npt.NDArray[np.floating], n_symbols: int, k: int
) -> Floats:
    """Soft votes as fractional votes for symbols.

    Class v of probability s is s of a vote for v and (1−s)/(K−1) for each other class; not v of
    probability s is s of a vote for not v and 1−s for v.

    Parameters
    ----------
    votes
        int [r], none of them an abstain.
    strength
        float [r], their probabilities.
    n_symbols
        S: K if no vote is against a class, else 2K.
    k
        K.

    Returns
    -------
    float64 [r, S], rows sum to 1.
    """
    rows = np.arange(len(votes))
    rest = 1 - strength.astype(np.float64)
    result = np.zeros((len(votes), n_symbols))
    positive = votes < k
    result[positive, :k] = (rest[positive] / (k - 1))[:, None]
    negative = np.flatnonzero(~positive)
    result[negative, votes[negative] - k] = rest[negative]
    result[rows, votes] = strength
    return result


def chance(votes: npt.NDArray[np.integer], k: int) -> Floats:
    """P(the statement is true) of a guess: 1/K for a class, (K−1)/K for not a class."""
    return np.where(votes >= k, (k - 1) / k, 1 / k)


def beyond_chance(accuracy: Any, at_chance: Any) -> Any:
    """Share of what a guess would get wrong that is right: 0 at chance, 1 if always right."""
    return (accuracy - at_chance) / (1 - at_chance)


def log_odds_added(
    accuracy: Floats,
    votes: npt.NDArray[np.integer],
    strength: npt.NDArray[np.floating] | None,
    k: int,
) -> Floats:
    """What votes of a given worth add to the log-odds of the class they name, ``vote mod K``.

    The worth is that of votes for a class, P(right). A vote against a class that knows as much
    beyond chance is right with p = (K−2+accuracy)/(K−1), which makes the class it names less
    likely, log(p / ((K−1)(1−p))) being taken from it. A soft vote adds its `fractions`.

    Parameters
    ----------
    accuracy
        float64 [r], above 0 and below 1.
    votes
        int [r], none of them an abstain.
    strength
        float [r], or None where no vote is soft.
    k
        K.

    Returns
    -------
    float64 [r]; for a vote for a class log(accuracy·(K−1)/(1−accuracy)).
    """
    added = np.log(accuracy * (k - 1)) - np.log1p(-accuracy)
    negative = votes >= k
    if strength is None and not negative.any():
        return np.asarray(added)
    claim = np.ones(added.shape) if strength is None else strength.astype(np.float64)
    taken = np.log((k - 2 + accuracy) / (k - 1)) - np.log1p(-accuracy)
    return np.where(
        negative, (1 - claim) * added - claim * taken, added * (claim - (1 - claim) / (k - 1))
    )
