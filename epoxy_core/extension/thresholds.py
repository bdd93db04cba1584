"""Thresholds chosen on dev labels."""

import numpy as np
import numpy.typing as npt

from epoxy_core.extension.extend import ExtendedVotes
from epoxy_core.labeling import beyond_chance, chance, has_negative

_PRIOR_ACCURACY = 0.7
_PRIOR_VOTES = 20


def dev_threshold(
    extended: ExtendedVotes,
    gold: npt.NDArray[np.integer],
    n_classes: int,
    default: float = 1.0,
) -> float:
    """Choose the threshold at which one LF's borrowed votes gain most on the dev items.

    A borrowed vote that counts as an own one pays while its accuracy stays nearer to the LF's own
    than to chance (Epoxy, arXiv 2006.15168: the gain changes sign where labels flip too
    often). So a correct borrowed vote gains 1 − b and a wrong one −b, with b halfway between
    chance, 1/K, and the LF's own accuracy on dev items, shrunk to 0.7 by 20 pseudo-votes. (Where
    votes are against a class, chance is higher, and what it is shrunk to knows as much beyond.) The
    threshold is the observed similarity above which the sum of gains, less one standard error
    √(count·b(1−b)), is largest: a lucky vote or two does not lower it.

    Parameters
    ----------
    extended
        The LF's votes extended with a low threshold.
    gold
        int [n], the class of dev items; −1 elsewhere.
    n_classes
        K.
    default
        Returned where the dev items argue for no borrowing or do not argue at all. At 1, only
        exact duplicates borrow.
    """
    voted = (gold >= 0) & (extended.votes >= 0)
    own = extended.source == np.arange(len(gold))
    correct = extended.votes == gold
    if has_negative(extended.votes, n_classes):
        correct |= (extended.votes >= n_classes) & (extended.votes % n_classes != gold)
    cast = extended.votes[own & (extended.votes >= 0)]
    guess = float(chance(cast, n_classes).mean()) if len(cast) else 1 / n_classes
    prior = guess + beyond_chance(_PRIOR_ACCURACY, 1 / n_classes) * (1 - guess)

    own_votes = int((voted & own).sum())
    own_correct = int((voted & own & correct).sum())
    accuracy = (own_correct + _PRIOR_VOTES * prior) / (own_votes + _PRIOR_VOTES)
    break_even = (guess + accuracy) / 2

    borrowed = np.flatnonzero(voted & ~own)
    borrowed = borrowed[np.argsort(-extended.similarity[borrowed], kind="stable")]
    similarity = extended.similarity[borrowed]
    count = np.arange(1, len(borrowed) + 1)
    gain = np.cumsum(correct[borrowed] - break_even)
    gain -= np.sqrt(count * break_even * (1 - break_even))
    # A threshold takes in all votes at its similarity, so only the last of a tie is a choice.
    last_of_tie = np.append(similarity[1:] != similarity[:-1], True)[: len(borrowed)]
    gain = np.where(last_of_tie, gain, -np.inf)
    if not (gain > 0).any():
        return default
    return float(similarity[int(gain.argmax())])
