"""How good labels are, by labeling functions that had no part in them."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from epoxy_core.labeling import allowed
from epoxy_core.refinement.joint import Evidence

Floats = npt.NDArray[np.float64]
Labeler = Callable[[Evidence], Floats]

_SPLITS = 3
_LEAST_VOTES = 5


def held_out_lift(evidence: Evidence, label: Labeler, seed: int = 0) -> Floats:
    """Label by half of the labeling functions, and ask the other half.

    For LFs that err independently, how often a label agrees with the vote of one that had no part
    in it rises with the label's accuracy, whatever the LF's own is. For each vote of a class, the
    share of its items that are labelled so, minus the share of all items that are: labelling
    everything alike gains nothing. Needs no label; noisy with few LFs.

    Parameters
    ----------
    evidence
        Of n items; hand labels in it are not used to judge.
    label
        P(class) float64 [n, K] of all items from part of the evidence; NaN if it is too little.
    seed
        Of the splits of the labeling functions.

    Returns
    -------
    float64 [h]
        Mean lift by each half that judged, in the same order for the same evidence; NaN where it
        has no votes to judge by. One NaN with fewer than two labeling functions.
    """
    halves = []
    for made_with, judges in _halves(evidence.votes.shape[1], seed):
        part = evidence.of_lfs(made_with)
        halves.append(_agreement(label(part), evidence.votes[:, judges], evidence.train))
    return np.array(halves or [np.nan])


def _halves(n_lfs: int, seed: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    draw = np.random.default_rng(seed)
    for _ in range(_SPLITS if n_lfs > 1 else 0):
        mixed = draw.permutation(n_lfs)
        one, other = np.sort(mixed[: n_lfs // 2]), np.sort(mixed[n_lfs // 2 :])
        yield one, other
        yield other, one


def _agreement(
    probabilities: Floats, votes: npt.NDArray[np.int8], train: npt.NDArray[np.bool_]
) -> float:
    if np.isnan(probabilities).any():
        return float("nan")
    k = probabilities.shape[1]
    rows = np.flatnonzero(train)
    met = allowed(k)[:, probabilities[rows].argmax(axis=1)].T  # [n, 2K]: is the statement true?
    lifts, weights = [], []
    for symbol in range(2 * k):
        voted = (votes[rows] == symbol).sum(axis=1)
        total = int(voted.sum())
        if total >= _LEAST_VOTES:
            lifts.append(float(voted @ met[:, symbol]) / total - float(met[:, symbol].mean()))
            weights.append(total)
    return float(np.average(lifts, weights=weights)) if lifts else float("nan")
