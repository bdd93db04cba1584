"""Epoxy as published (Chen et al. 2020, arXiv 2006.15168, and the authors' repository).

Abstains take the vote of the nearest train item the LF votes on, if it is more similar than a
threshold; a label model is then fitted on the extended votes as if all were the LFs' own. The
thresholds are tuned on labelled items. The authors do not say how; here they are first one
quantile level for all LFs (that of each LF's similarities between abstaining train items and
their nearest supporter), then each LF's in turn, as long as accuracy on the labelled items rises.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.quality.scores import scores

LEVELS = tuple(round(level / 10, 1) for level in range(11))
"""Quantile levels tried; at 1 nothing is borrowed."""
MOST_FITS = 1000
"""Above so many label models to fit, the LFs keep their common level."""
_BELOW_ALL = -2.0

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]
LabelModel = Callable[[Votes, Votes], Floats]
"""Fitted on the first votes, gives P(class) for the second."""


class Candidates(NamedTuple):
    """What each item could borrow.

    Attributes
    ----------
    votes
        int8 [n, m]; the own vote where there is one, −1 where the LF has no support.
    similarity
        float32 [n, m]; infinite for an own vote.
    """

    votes: Votes
    similarity: npt.NDArray[np.float32]


class Tuned(NamedTuple):
    """The extended votes int8 [n, m], P(class) float64 [n, K], and each LF's threshold [m]."""

    votes: Votes
    probabilities: Floats
    thresholds: Floats


def candidates(
    votes: Votes, embeddings: npt.NDArray[np.float32], train: npt.NDArray[np.bool_]
) -> Candidates:
    """Find each item's nearest train item with a vote, LF by LF; ties to the lowest row."""
    found = votes.copy()
    similarity = np.full(votes.shape, np.inf, dtype=np.float32)
    for lf, cast in enumerate(votes.T):
        support = np.flatnonzero(train & (cast >= 0))
        abstains = np.flatnonzero(cast < 0)
        similarity[abstains, lf] = -np.inf
        if len(support):
            cosine = embeddings[abstains] @ embeddings[support].T
            nearest = cosine.argmax(axis=1)
            found[abstains, lf] = cast[support[nearest]]
            similarity[abstains, lf] = cosine[np.arange(len(abstains)), nearest]
    return Candidates(found, similarity)


def extend(borrowable: Candidates, thresholds: Floats) -> Votes:
    """Own votes, and those of items that are more similar than the LF's threshold."""
    return np.where(borrowable.similarity > thresholds, borrowable.votes, np.int8(-1))


def threshold_grid(borrowable: Candidates, train: npt.NDArray[np.bool_]) -> Floats:
    """Each LF's quantiles, at `LEVELS`, of the similarities of train items that could borrow.

    Returns
    -------
    float64 [m, levels]; the lowest lets every vote in, the highest none.
    """
    grid = np.full((borrowable.votes.shape[1], len(LEVELS)), float(np.finfo(np.float32).max))
    for lf, similarity in enumerate(borrowable.similarity[train].T):
        near = similarity[np.isfinite(similarity)]
        if len(near):
            grid[lf, :-1] = np.quantile(near, LEVELS[:-1])
    grid[:, 0] = _BELOW_ALL
    return grid


def tuned_epoxy(
    votes: Votes,
    embeddings: npt.NDArray[np.float32],
    train: npt.NDArray[np.bool_],
    gold: Votes,
    label_model: LabelModel,
) -> Tuned:
    """Tune the thresholds on labelled items, label all.

    Parameters
    ----------
    votes, embeddings, train
        int8 [n, m], float32 [n, d] unit rows, bool [n].
    gold
        int8 [n], the class of the items to tune on, −1 elsewhere.
    label_model
        Fitted on train items' extended votes. Deterministic.
    """
    borrowable = candidates(votes, embeddings, train)
    grid = threshold_grid(borrowable, train)
    labelled = np.flatnonzero(gold >= 0)
    lfs, none = np.arange(votes.shape[1]), len(LEVELS) - 1

    def extended(levels: npt.NDArray[np.intp]) -> Votes:
        return extend(borrowable, grid[lfs, levels])

    def accuracy(levels: npt.NDArray[np.intp]) -> float:
        own = extended(levels)
        return scores(label_model(own[train], own[labelled]), gold[labelled]).accuracy

    best, levels = -1.0, np.full(len(lfs), none)
    for level in range(none, -1, -1):
        tried = np.full(len(lfs), level)
        if (reached := accuracy(tried)) > best:
            best, levels = reached, tried
    if len(lfs) * none <= MOST_FITS:
        for lf in lfs:
            for level in range(len(LEVELS)):
                tried = np.where(lfs == lf, level, levels)
                if level != levels[lf] and (reached := accuracy(tried)) > best:
                    best, levels = reached, tried
    votes = extended(levels)
    return Tuned(votes, label_model(votes[train], votes), grid[lfs, levels])
