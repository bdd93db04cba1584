"""How well the other LFs' votes foretell an LF's own: a figure of merit without labels."""

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import Floats, LabelModel
from epoxy_core.label_model.left_out import said_without
from epoxy_core.label_model.unique_votes import UniqueVotes

_MOST_ROWS = 20_000


def left_out_lift(
    model: LabelModel, unique: UniqueVotes, alike: npt.NDArray[np.bool_] | None = None
) -> Floats:
    """How much likelier than elsewhere a model is to say what an LF says, where that LF votes.

    For each LF and symbol: the share of the LF's votes that are true of the most probable class
    without the LF's evidence (ties count as a fraction), less the share of all items of which
    they would be true; then the mean over the LF's votes. 0 for a model that knows nothing of
    what LFs have in common. What the LF itself says is taken out of the sum of the evidence, at
    no cost; what was learned of the other LFs with its help is not. The class balance is left
    out, too: one that prefers a class says it everywhere, and lift would be the less.

    Parameters
    ----------
    model
        Fitted.
    unique
        The votes. Of more than 20,000 distinct rows, one in so many is looked at.
    alike
        bool [m, m], LFs that vote alike for other reasons than the class: those are left out with
        the LF, or a model would be the better for foretelling copies by copies. None: no LFs.

    Returns
    -------
    float64 [m], NaN for an LF that never votes.
    """
    step = -(-len(unique.patterns) // _MOST_ROWS) or 1
    some = unique if step == 1 else unique.rows(np.arange(0, len(unique.patterns), step))
    k, m = unique.n_classes, unique.patterns.shape[1]
    out = np.eye(m, dtype=np.bool_) if alike is None else alike | np.eye(m, dtype=np.bool_)
    said, votes = said_without(some, model.evidence_, model.silence_, out)
    overall = said.sum(axis=1) / max(float(some.counts.sum()), 1)
    symbols = np.arange(said.shape[1] - 1)
    hit = said[:, symbols + 1, symbols % k] - votes * overall[:, symbols % k]
    total = votes.sum(axis=1)
    lift = np.where(symbols < k, hit, -hit).sum(axis=1) / np.maximum(total, 1)
    return np.where(total > 0, lift, np.nan)


def mean_and_gain(
    lift: Floats, favourite: Floats, votes: npt.NDArray[np.number]
) -> tuple[float, float, float]:
    """Mean lift over LFs, its gain on another's, and the standard error of that gain.

    Parameters
    ----------
    lift, favourite
        float64 [m], `left_out_lift` of the two models.
    votes
        Number [m], the LFs' votes: their weights.

    Returns
    -------
    mean, gain, error
        The error is infinite if there are fewer than two LFs to compare.
    """
    known = np.flatnonzero(~np.isnan(lift) & ~np.isnan(favourite))
    if not len(known):
        return 0.0, 0.0, float("inf")
    weight = votes[known] / votes[known].sum()
    difference = (lift - favourite)[known]
    gain = float(weight @ difference)
    m = len(known)
    if m < 2:
        return float(weight @ lift[known]), gain, float("inf")
    spread = float(weight**2 @ (difference - gain) ** 2) * m / (m - 1)
    return float(weight @ lift[known]), gain, spread**0.5
