"""How right each labeling function (LF) is, without labels, and how far that can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.abstention import detectors
from epoxy_core.label_model.base import Floats, Votes, class_prior
from epoxy_core.label_model.dev_votes import normal_quantile
from epoxy_core.label_model.figures import Figures, Flags
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_votes
from epoxy_core.label_model.variants import VariantEM, Variants

_EM_STEPS = 60
_MORE_STEPS = 12
_MOST_ITEMS = 10_000
_LEAST_ITEMS = 2_000
_OPERATIONS = 1e9
_LEAST_VARIANCE = 0.05


@dataclass(frozen=True, slots=True)
class AccuracyIntervals:
    """Estimates with intervals; NaN where nothing was voted.

    Attributes
    ----------
    level
        Share of intervals that shall hold the truth.
    accuracy, accuracy_low, accuracy_high
        float64 [m], P(vote true | LF voted), over the items given.
    precision, precision_low, precision_high
        float64 [m, S], P(vote true | LF cast this symbol), over the items given: for a class k,
        P(class k | LF voted k).
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
    silence: bool | None = None,
    accuracy: Floats | None = None,
    posterior: Floats | None = None,
    level: float = 0.9,
    n_resamples: int = 16,
    seed: int = 0,
) -> AccuracyIntervals:
    """Estimate accuracy and per-class precision of every LF from votes alone.

    Several label models each give a figure: Dawid–Skene under the class balance given or, when
    none is, under a uniform one and a learned one; where it is not known whether the silence of
    LFs that vote one class only says anything of the class, with it and without; and triplets
    (see `Figures.hear_triplets`). The estimate is the median.

    The interval runs from the lowest to the highest figure (what the votes cannot decide
    between), and beyond both by a normal quantile of three errors in quadrature: of the sample of
    items (bootstrap of the vote patterns), of whom one asks (root mean square shift when Dawid–
    Skene is refitted without each LF in turn), and of the votes' own number. Sampling alone
    understates the error: it misses at large n whatever is wrong with the model.

    What all models miss stays missed: LFs that err together on most of their votes look right.

    Parameters
    ----------
    votes
        int8 [n, m], for and against classes; a soft vote counts as one, whatever it claims, since
        how often it is true is the question. Of more than about 10,000 items (fewer for many
        classes), Dawid–Skene is fitted on a sample of so many.
    n_classes
        K.
    class_balance
        The classes' shares, [K]. Precision depends on them a great deal: to know them is worth
        more than any number of items.
    silence
        Whether the silence of LFs that cast one symbol only is a vote of theirs; None: unknown.
    accuracy, posterior
        float64 [m] and float64 [n, K], by a label model that has a say, too, and the last word on
        LFs that cast one symbol only unless their silence is known to count: then nothing but its
        anchors ties Dawid–Skene down.
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
    unique = unique_votes(votes, None, n_classes)
    n, m = votes.shape
    if votes.size == 0:
        shapes = 3 * [(m,)] + 3 * [(m, unique.n_symbols)]
        return AccuracyIntervals(level, *(np.full(shape, np.nan) for shape in shapes))
    single = detectors(unique)
    figures = Figures(unique).hear_triplets(votes, class_balance, single, silence=bool(silence))
    if accuracy is not None:
        figures.accuracy.append(accuracy)
    if posterior is not None:
        figures.hear(posterior)

    draw = np.random.default_rng(seed)
    learns = np.array([False] if class_balance is not None else [False, True])
    asked = {True, False} if silence is None and single.any() else {bool(silence)}
    rows = _sample(unique, len(asked) * (n_resamples + m * len(learns)), draw)
    sample = unique if len(rows) == n else unique_votes(votes[rows], None, n_classes)
    errors = []
    for speaks in sorted(asked):
        em = VariantEM(sample, unique.n_symbols, single & speaks, start)
        errors.append(_ask(figures, em, learns, n_resamples, draw))
    n_votes = figures.cast.sum(axis=1)
    of_lf = _interval(figures.accuracy, [error[0] for error in errors], n_votes, quantile)
    precision = _interval(figures.precision, [error[1] for error in errors], figures.cast, quantile)
    if accuracy is not None and not silence:
        np.copyto(of_lf[0], accuracy, where=single)
    only = (figures.cast > 0) & ((figures.cast > 0).sum(axis=1, keepdims=True) == 1)
    for of_all, of_one in zip(of_lf, precision, strict=True):
        np.copyto(of_one, of_all[:, None], where=only)  # one symbol: the same figure
    return AccuracyIntervals(level, *of_lf, *precision)


def _sample(unique: UniqueVotes, variants: int, draw: np.random.Generator) -> npt.NDArray[np.intp]:
    n, m = len(unique.inverse), unique.patterns.shape[1]
    operations = 4 * m * (unique.n_symbols + 1) * unique.n_classes * variants + 1
    most = min(max(int(_OPERATIONS / operations), _LEAST_ITEMS), _MOST_ITEMS)
    return np.arange(n) if n <= most else np.sort(draw.choice(n, most, replace=False))


def _ask(
    figures: Figures, em: VariantEM, learns: Flags, n_resamples: int, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """Add Dawid–Skene's figures; the variance of its accuracy [m] and precision [m, S]."""
    base = em.step(em.start(learns), _EM_STEPS)
    varied = em.step(_varied(base, em, n_resamples, draw), _MORE_STEPS)
    base_claims, claims = em.claims(base), em.claims(varied)
    answers = []
    for of in (figures.accuracy_of, figures.precision_of):
        given, other = of(base_claims), of(claims)
        shifts = other[n_resamples:].reshape(len(given), -1, *given.shape[1:]) - given[:, None]
        variance = other[:n_resamples].var(axis=0) + (shifts**2).mean(axis=1).max(axis=0)
        answers.append((given, variance))
    figures.accuracy.extend(answers[0][0])
    figures.precision.extend(answers[1][0])
    return answers[0][1], answers[1][1]


def _varied(base: Variants, em: VariantEM, n_resamples: int, draw: np.random.Generator) -> Variants:
    """Resamples of the last of ``base``, then each of ``base`` without each LF in turn."""
    specifications, m = len(base.learns), len(base.given)
    last = np.full(n_resamples, specifications - 1)
    varied = base.take(np.concatenate([last, np.repeat(np.arange(specifications), m)]))
    n = int(em.counts.sum())
    shares = em.counts.astype(np.float64) / max(n, 1)
    varied.counts[:, :n_resamples] = draw.multinomial(n, shares, n_resamples).T
    varied.without[n_resamples:] = np.tile(np.arange(m), specifications)
    return varied


def _interval(
    figures: Sequence[Floats],
    variances: Sequence[Floats],
    n_votes: npt.NDArray[np.int64],
    quantile: float,
) -> tuple[Floats, Floats, Floats]:
    panel = np.stack(figures)
    estimate = np.nanmedian(panel, axis=0)
    own = np.maximum(estimate * (1 - estimate), _LEAST_VARIANCE) / np.maximum(n_votes, 1)
    error = quantile * np.sqrt(np.max(variances, axis=0) + own)
    silent = n_votes == 0
    low = np.maximum(np.nanmin(panel, axis=0) - error, 0)
    high = np.minimum(np.nanmax(panel, axis=0) + error, 1)
    estimate[silent] = low[silent] = high[silent] = np.nan
    return estimate, low, high
