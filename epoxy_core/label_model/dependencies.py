"""LFs that vote alike for other reasons than the class, and how much less they weigh for it."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import Floats
from epoxy_core.label_model.unique_votes import UniqueVotes
from epoxy_core.labeling import allowed

Dependencies = Literal["auto"] | Sequence[tuple[int, int]] | None

LEAST_CORRELATION = 0.4
"""Weaker correlations come as well from a class balance that is not the true one."""
_LEAST_Z = 4.0
_LEAST_JOINT = 5.0
_NOTHING = 1e-12


def dependence(unique: UniqueVotes, posterior: Floats, pairs: Dependencies) -> Floats:
    """Correlation of the votes of LFs within the classes, float64 [m, m], zero where none counts.

    For every symbol, the correlation of "LF j votes it" with "LF k votes it" over the items of
    the classes that it is true of, each by its posterior; then the mean over symbols by the two
    LFs' votes. It is 1 for a copy, and 0 for LFs that are independent given the class. One Gram
    matrix per symbol and class: quadratic in the number of LFs.

    Parameters
    ----------
    unique
        The votes.
    posterior
        float64 [p, K], of their distinct rows.
    pairs
        The pairs to look at. ``"auto"``: all; what counts is then a correlation of .4 or more, by
        symbols that both vote on at least 5 items and more often than chance by 4 standard
        errors. None: none.
    """
    m, k = unique.patterns.shape[1], unique.n_classes
    shared, votes = np.zeros((m, m)), np.zeros((m, m))
    looked_at = _mask(pairs, m)
    if not looked_at.any():
        return shared
    mass = posterior * unique.counts[:, None]
    true = allowed(k)
    cast = None if unique.strength is None else unique.cast(unique.n_symbols)
    for symbol in range(unique.n_symbols):
        if cast is None:
            event = (unique.patterns == symbol).astype(np.float64)
        else:
            event = cast[:, symbol :: unique.n_symbols].toarray()
        voters = np.flatnonzero(event.any(axis=0))
        event = event[:, voters]
        for label in np.flatnonzero(true[symbol]):
            weight = mass[:, label]
            n = max(float(weight.sum()), _NOTHING)
            of_class = np.zeros(m)
            of_class[voters] = weight @ event
            votes += of_class[:, None] + of_class
            joint = (event * weight[:, None]).T @ event
            correlation = _correlation(joint, of_class[voters], n)
            if pairs == "auto":
                sure = (correlation * np.sqrt(n) > _LEAST_Z) & (joint >= _LEAST_JOINT)
                correlation = np.where(sure, correlation, 0)
            either = of_class[voters][:, None] + of_class[voters]
            shared[np.ix_(voters, voters)] += correlation * either
    found = np.where(looked_at, shared / np.maximum(votes, _NOTHING), 0)
    return np.where(found >= LEAST_CORRELATION, found, 0) if pairs == "auto" else found


def weights(found: Floats) -> Floats:
    """By how much each LF's votes count, float64 [m]: 1 over the design effect (Kish 1965).

    k copies of an LF count 1/k each, together as much as the one.
    """
    return np.asarray(1 / (1 + found.sum(axis=1)))


def representatives(found: Floats, votes: npt.NDArray[np.number]) -> npt.NDArray[np.bool_]:
    """Tell the LFs that are left if of those that depend on one another one is kept, bool [m].

    Parameters
    ----------
    found
        float64 [m, m], `dependence`.
    votes
        Number [m]; the LF with most is kept.
    """
    kept = np.ones(len(found), dtype=np.bool_)
    for lf in np.argsort(-votes, kind="stable"):
        if kept[lf]:
            kept[found[lf] > 0] = False
    return kept


def _correlation(joint: Floats, alone: Floats, n: float) -> Floats:
    """Correlations of weighted events from their sums, not below 0."""
    covariance = joint / n - np.outer(alone, alone) / n**2
    deviation = np.sqrt(np.maximum(covariance.diagonal(), _NOTHING))
    return np.asarray(np.clip(covariance / np.outer(deviation, deviation), 0, 1))


def _mask(pairs: Dependencies, m: int) -> npt.NDArray[np.bool_]:
    if pairs == "auto":
        return ~np.eye(m, dtype=np.bool_)
    mask = np.zeros((m, m), dtype=np.bool_)
    for one, other in pairs or ():
        if one == other or not (0 <= one < m and 0 <= other < m):
            raise EpoxyError(
                f"no pair of labeling functions {one} and {other} among {m}",
                where="label_model.dependencies",
                remedy="Name two different labeling functions.",
            )
        mask[one, other] = mask[other, one] = True
    return mask
