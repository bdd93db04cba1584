"""How sure labels and predictions may be: from gold labels, or from two views that agree.

Votes and embeddings are two views of an item. Where the label model says 0.6 and a head that
never saw the item agrees with it nine times in ten, 0.6 was too modest.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model.calibration import Floats, Scaling, fit_scaling
from epoxy_core.errors import EpoxyError

_GOLD_FOR_TEMPERATURE = 20
_GOLD_FOR_BIAS = 50


class Calibration(NamedTuple):
    """A scaling, and what it was fitted to.

    Attributes
    ----------
    scaling
        To be a head's ``scaling_``.
    source
        ``gold``, ``labels`` (the label model's), or ``none``.
    n_items
        How many of them.
    """

    scaling: Scaling
    source: Literal["gold", "labels", "none"]
    n_items: int


def sharpen(
    posterior: Floats, judge: Floats, covered: npt.NDArray[np.bool_]
) -> tuple[Floats, Scaling]:
    """Recalibrate the label model's posterior by how often a head agrees with it, label-free.

    One temperature, fitted to the classes that the judge finds most probable. The order of
    classes, hence every hard label, stays. Two conditions, or the agreement means nothing: the
    judge has not seen the item, and ``covered`` is every item with a vote, not those that the
    cut statistic chose because they agree.

    Parameters
    ----------
    posterior
        float64 [n, K], of the label model.
    judge
        float64 [n, K], `out_of_fold` predictions of a head trained on the soft posterior.
        (Trained on hard labels it repeats the label model's preferences.)
    covered
        bool [n], items with a vote; the others' posterior is rescaled with the rest.

    Returns
    -------
    posterior, scaling
        float64 [n, K], and what was done to it.
    """
    _same_length(posterior, judge, covered)
    scaling = fit_scaling(posterior[covered], judge[covered].argmax(axis=1))
    return scaling.rescale(posterior), scaling


def fit_calibration(
    gold: tuple[Floats, npt.NDArray[np.integer]] | None = None,
    labels: tuple[Floats, npt.NDArray[np.integer]] | None = None,
) -> Calibration:
    """Calibrate a head by gold labels if there are enough, else by the label model's.

    50 gold labels give a temperature and a bias per class, 20 a temperature. With fewer, a
    temperature is fitted to the label model's most probable classes. That makes the head as sure
    as it agrees with them, which mends most of the modesty of a head trained on soft labels; of
    one trained on hard labels that are often wrong in the same way, it makes too much.

    Parameters
    ----------
    gold
        The head's predictions float64 [g, K] of items that it was not trained on, and their hand
        labels int [g].
    labels
        `out_of_fold` predictions float64 [n, K] of items with a vote, all of them (not the
        selected ones only), and their classes int [n] by the label model.

    Returns
    -------
    Calibration
        No scaling if there is neither.
    """
    for given in (gold, labels):
        if given is not None:
            _same_length(*given)
    if gold is not None and len(gold[1]) >= _GOLD_FOR_TEMPERATURE:
        n = len(gold[1])
        return Calibration(fit_scaling(*gold, bias=n >= _GOLD_FOR_BIAS), "gold", n)
    if labels is not None and len(labels[1]):
        return Calibration(fit_scaling(*labels), "labels", len(labels[1]))
    return Calibration(Scaling(), "none", 0)


def _same_length(*arrays: npt.NDArray[np.generic]) -> None:
    if len({len(array) for array in arrays}) > 1:
        raise EpoxyError(
            f"arrays of {', '.join(str(len(array)) for array in arrays)} items",
            where="calibration",
            remedy="Give all in the order of the items.",
        )
