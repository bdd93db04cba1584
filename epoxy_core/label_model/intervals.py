"""How right each labeling function (LF) is, without labels, and how far that can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.base import (
    PRIOR_ACCURACY,
    PRIOR_OVERLAPS,
    Floats,
    LabelModel,
    Votes,
    class_prior,
    validate_votes,
    vote_patterns,
)
from epoxy_core.label_model.dev_votes import normal_quantile
from epoxy_core.label_model.ordered_votes import detecting
from epoxy_core.label_model.triplets import Triplets
from epoxy_core.label_model.variants import VariantEM, Variants

_EM_STEPS = 60
_MORE_STEPS = 12
_MOST_ITEMS = 10_000
_LEAST_ITEMS = 2_000
_OPERATIONS = 1e9
_PRIOR_VOTES = 2.0
_LEAST_VARIANCE = 0.05
_VIEWS = 3


@dataclass(frozen=True, slots=True)
class AccuracyIntervals:
    """Estimates with intervals; NaN where nothing was voted.

    Attributes
    ----------
    level
        Share of intervals that shall hold the truth.
    accuracy, accuracy_low, accuracy_high
        float64 [m], P(vote right | LF voted), over the items given.
    precision, precision_low, precision_high
        float64 [m, K], P(class k | LF voted k), over the items given.
    """

    level: float
    accuracy: Floats
    accuracy_low: Floats
    accuracy_high: Floats
    precision: Floats
    precision_low: Floats
    precision_high: Floats


def accuracy_intervals(
    votes: Votes,
    n_classes: int,
    class_balance: Sequence[float] | None = None,
    *,
    models: Sequence[LabelModel] = (),
    level: float = 0.9,
    n_resamples: int = 16,
    seed: int = 0,
) -> AccuracyIntervals:
    """Estimate accuracy and per-class precision of every LF from votes alone.

    Several label models each give a figure: Dawid–Skene under the class balance given or, when
    none is, under a uniform one and a learned one; and triplets, over the LFs that vote several
    classes, for these. LFs that vote one class only agree always or never, whatever they are
    worth, so for them triplets are heard only if the class balance is unknown, or if fewer than
    three LFs vote the class and Dawid–Skene is not tied down either. The estimate is the median.

    The interval runs from the lowest to the highest figure (what the votes cannot decide
    between), and beyond both by a normal quantile of three errors in quadrature: of the sample of
    items (bootstrap of the vote patterns), of whom one asks (root mean square shift when Dawid–
    Skene is refitted without each LF in turn), and of the votes' own number. Sampling alone
    understates the error: it misses at large n whatever is wrong with the model.

    What all models miss stays missed: LFs that err together on most of their votes look right.

    Parameters
    ----------
    votes
        int8 [n, m]. Of more than about 10,000 items (fewer for many classes), Dawid–Skene is
        fitted on a sample of so many.
    n_classes
        K.
    class_balance
        The classes' shares, [K]. Precision depends on them a great deal: to know them is worth
        more than any number of items.
    models
        Further label models, fitted on these votes, that have a say: their ``accuracy_`` and
        ``predict_proba`` are read.
    level
        Nominal coverage.
    n_resamples
        Bootstrap samples.
    seed
        Of the samples; the same seed gives the same intervals.

    Raises
    ------
    EpoxyError
        If the votes, the class balance or the level make no sense.
    """
    quantile = normal_quantile(level)
    start = class_prior(n_classes, class_balance)
    votes = validate_votes(votes, n_classes)
    n, m = votes.shape
    if votes.size == 0:
        nothing = [np.full(shape, np.nan) for shape in 3 * [(m,)] + 3 * [(m, n_classes)]]
        return AccuracyIntervals(level, *nothing)
    patterns, _, counts = vote_patterns(votes)
    cast = np.stack([((patterns == k) * counts[:, None]).sum(axis=0) for k in range(n_classes)], 1)

    detectors = detecting(votes)
    lonely = ((cast > 0) & ((cast > 0).sum(axis=0) < _VIEWS)).any(axis=1)
    loose = detectors & (lonely | (class_balance is None))
    accuracies, precisions = [], []
    for others, heard in ((detectors, ~detectors), (np.zeros_like(loose), loose)):
        triplets = Triplets(n_classes, class_balance).fit(np.where(others, np.int8(-1), votes))
        claims = _claims(triplets, np.where(others, np.int8(-1), patterns), counts, n_classes)
        accuracies.append(np.where(heard, triplets.accuracy_, np.nan))
        precisions.append(np.where(heard[:, None], _precision(claims), np.nan))
    for model in models:
        accuracies.append(model.accuracy_)
        precisions.append(_precision(_claims(model, patterns, counts, n_classes)))

    draw = np.random.default_rng(seed)
    learns = np.array([False] if class_balance is not None else [False, True])
    variants = n_resamples + m * len(learns)
    most = int(_OPERATIONS / (4 * m * (n_classes + 1) * variants * n_classes + 1))
    most = min(max(most, _LEAST_ITEMS), _MOST_ITEMS)
    sample = votes if n <= most else votes[np.sort(draw.choice(n, most, replace=False))]
    em = VariantEM(sample, start)
    base = em.step(em.start(learns), _EM_STEPS)
    varied = em.step(_varied(base, em, n_resamples, m, draw), _MORE_STEPS)

    claims, base_claims = em.claims(varied), em.claims(base)
    accuracies += list(_accuracy(base_claims))
    precisions += list(_precision(base_claims))
    return AccuracyIntervals(
        level,
        *_interval(
            accuracies,
            _accuracy(base_claims),
            _accuracy(claims),
            n_resamples,
            cast.sum(1),
            quantile,
        ),
        *_interval(
            precisions, _precision(base_claims), _precision(claims), n_resamples, cast, quantile
        ),
    )


def _varied(
    base: Variants, em: VariantEM, n_resamples: int, m: int, draw: np.random.Generator
) -> Variants:
    """Resamples of the last of ``base``, then each of ``base`` without each LF in turn."""
    specifications = len(base.learns)
    last = np.full(n_resamples, specifications - 1)
    varied = base.take(np.concatenate([last, np.repeat(np.arange(specifications), m)]))
    n = int(em.counts.sum())
    resampled = draw.multinomial(n, em.counts.astype(np.float64) / max(n, 1), n_resamples).T
    varied.counts[:, :n_resamples] = resampled
    varied.without[n_resamples:] = np.tile(np.arange(m), specifications)
    return varied


def _claims(
    model: LabelModel, patterns: Votes, counts: npt.NDArray[np.int64], n_classes: int
) -> Floats:
    """Expected number of votes v of LF j on items of class k, [m, v, k]."""
    weighted = model.predict_proba(patterns) * counts[:, None]
    return np.stack([(patterns == vote).T @ weighted for vote in range(n_classes)], axis=1)


def _accuracy(claims: Floats) -> Floats:
    right = np.trace(claims, axis1=-2, axis2=-1)
    return np.asarray(
        (right + PRIOR_OVERLAPS * PRIOR_ACCURACY) / (claims.sum(axis=(-2, -1)) + PRIOR_OVERLAPS)
    )


def _precision(claims: Floats) -> Floats:
    right = np.diagonal(claims, axis1=-2, axis2=-1)
    return np.asarray(
        (right + _PRIOR_VOTES * PRIOR_ACCURACY) / (claims.sum(axis=-1) + _PRIOR_VOTES)
    )


def _interval(
    figures: Sequence[Floats],
    base: Floats,
    varied: Floats,
    n_resamples: int,
    n_votes: npt.NDArray[np.int64],
    quantile: float,
) -> tuple[Floats, Floats, Floats]:
    panel = np.stack(figures)
    estimate = np.nanmedian(panel, axis=0)
    sampling = varied[:n_resamples].var(axis=0)
    shifts = varied[n_resamples:].reshape(len(base), -1, *estimate.shape) - base[:, None]
    asked = (shifts**2).mean(axis=1).max(axis=0)
    own = np.maximum(estimate * (1 - estimate), _LEAST_VARIANCE) / np.maximum(n_votes, 1)
    error = quantile * np.sqrt(sampling + asked + own)
    silent = n_votes == 0
    low = np.maximum(np.nanmin(panel, axis=0) - error, 0)
    high = np.minimum(np.nanmax(panel, axis=0) + error, 1)
    estimate[silent] = low[silent] = high[silent] = np.nan
    return estimate, low, high
