"""Training items chosen by the cut statistic: those whose neighbours share their label."""

import numpy as np
import numpy.typing as npt

from epoxy_core.neighbors import NeighborGraph

_ROWS_AT_ONCE = 65_536


def cut_statistic(
    labels: npt.NDArray[np.integer], graph: NeighborGraph, n_classes: int
) -> npt.NDArray[np.float64]:
    """Compare how many neighbours have another label with chance (Lang et al. 2022).

    Over the covered items y among the neighbours of x, with weights w = max(similarity, 0) and
    class shares p of the covered items:
    z = (Σ w·[h_y ≠ h_x] − (1 − p)·Σ w) / √(p·(1 − p)·Σ w²), p = p_{h_x}. The lower, the safer
    the label.

    Parameters
    ----------
    labels
        int [n], −1 = uncovered.
    graph
        The neighbour graph of all n items.
    n_classes
        K.

    Returns
    -------
    float64 [n]; NaN for uncovered items, 0 where neighbours say nothing (none is covered, or
    there is only one class).
    """
    covered = labels >= 0
    z = np.full(len(labels), np.nan)
    shares = np.bincount(labels[covered], minlength=n_classes) / max(covered.sum(), 1)
    for first in range(0, len(labels), _ROWS_AT_ONCE):
        rows = first + np.flatnonzero(covered[first : first + _ROWS_AT_ONCE])
        theirs = labels[graph.indices[rows]]
        weight = np.where(theirs >= 0, np.maximum(graph.similarity[rows], 0), 0).astype(np.float64)
        cut = np.where(theirs != labels[rows, None], weight, 0).sum(axis=1)
        share = shares[labels[rows]]
        expected = (1 - share) * weight.sum(axis=1)
        variance = share * (1 - share) * (weight**2).sum(axis=1)
        spread = np.sqrt(variance)
        z[rows] = np.divide(cut - expected, spread, out=np.zeros(len(rows)), where=spread > 0)
    return z


def select(
    z: npt.NDArray[np.float64],
    labels: npt.NDArray[np.integer],
    keep: float,
    least_per_class: int = 5,
) -> npt.NDArray[np.bool_]:
    """Keep the share of the covered items with the lowest cut statistic.

    A class left with fewer than ``least_per_class`` items gets its own lowest back, up to that
    number, so no class is lost. Ties go to the lowest row.

    Parameters
    ----------
    z
        float64 [n], NaN for uncovered items.
    labels
        int [n], −1 = uncovered.
    keep
        In (0, 1].
    least_per_class
        Items kept of each class that has as many.

    Returns
    -------
    bool [n]
    """
    order = np.argsort(z, kind="stable")[: int(np.isfinite(z).sum())]
    chosen = np.zeros(len(z), dtype=np.bool_)
    chosen[order[: int(np.ceil(keep * len(order)))]] = True
    for label in np.unique(labels[order]):
        chosen[order[labels[order] == label][:least_per_class]] = True
    return chosen
