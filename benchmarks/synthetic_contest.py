"""Every label model on votes drawn from known parameters, scored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.quality.peers import Peers
from benchmarks.quality.scores import scores
from benchmarks.synthetic_models import AUTO, CHAIN, ESTIMATORS, PEERS, ask, estimate, is_for
from benchmarks.synthetic_votes import (
    KINDS,
    VoteParameters,
    sample,
    sequence_ids,
    true_posterior,
    with_chain,
    with_copies,
)
from epoxy_core.evaluation import calibration_error
from epoxy_core.label_model.intervals import AccuracyIntervals, accuracy_intervals

VARIANTS: Mapping[str, Callable[[VoteParameters], VoteParameters]] = {
    "independent": lambda parameters: parameters,
    "copies": with_copies,
    "chain": partial(with_chain, persistence=0.0),
    "chain, persistence .7": partial(with_chain, persistence=0.7),
}
CLASSES = (2, 4, 10)
TRUE, BLIND = "true parameters", "true parameters, abstaining not read"

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class Case(NamedTuple):
    """What votes are drawn from: names of `VARIANTS` and `KINDS`, and K."""

    variant: str
    kind: str
    n_classes: int


CASES = tuple(Case(variant, kind, k) for variant in VARIANTS for kind in KINDS for k in CLASSES)


class Score(NamedTuple):
    """Accuracy and expected calibration error, in [0, 1]."""

    accuracy: float
    calibration_error: float


class Coverage(NamedTuple):
    """Of intervals: the share that holds the truth, and their mean width."""

    share: float
    width: float


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured on one draw.

    Attributes
    ----------
    scores
        By method and whether the class balance was given; `TRUE` and `BLIND` know it.
    errors
        Mean absolute error of the estimated accuracies, by the same.
    accuracy, precision
        How well 90 % intervals hold the accuracy of each labeling function (LF), and its
        precision by class voted, by whether the class balance was given.
    """

    scores: dict[tuple[str, bool], Score] = field(default_factory=dict)
    errors: dict[tuple[str, bool], float] = field(default_factory=dict)
    accuracy: dict[bool, Coverage] = field(default_factory=dict)
    precision: dict[bool, Coverage] = field(default_factory=dict)


def measure(case: Case, n: int, seed: int, peers: Peers | None) -> Result:
    """Draw LFs and n items, fit all methods on them; without peers, only ours."""
    parameters = VARIANTS[case.variant](KINDS[case.kind](case.n_classes, seed=seed))
    votes, truth = sample(parameters, n, seed)
    result = Result()
    for name, reads in ((TRUE, True), (BLIND, False)):
        posterior = true_posterior(parameters, votes, abstentions=reads)
        result.scores[name, True] = _score(posterior, truth)
    for given in (True, False):
        balance = parameters.class_balance if given else None
        _measure_ours(result, parameters, votes, truth, balance)
        ordered = parameters.chain is not None
        for name in PEERS if peers is not None else ():
            if peers and is_for(name, n_classes=case.n_classes, ordered=ordered, given=given):
                found = ask(name, votes, case.n_classes, balance, seed, peers)
                result.scores[name, given] = _score(found, truth)
    return result


def _measure_ours(
    result: Result, parameters: VoteParameters, votes: Votes, truth: Votes, balance: Floats | None
) -> None:
    k, given, ordered = parameters.n_classes, balance is not None, parameters.chain is not None
    ids = sequence_ids(parameters, len(votes))
    right, precision = _counted(votes, truth, k)
    for name in ESTIMATORS:
        if not is_for(name, n_classes=k, ordered=ordered, given=given):
            continue
        found = estimate(name, votes, ids, k, balance)
        result.scores[name, given] = _score(found.posterior, truth)
        result.errors[name, given] = float(np.nanmean(np.abs(found.accuracy - right)))
        if name == (CHAIN if ordered else AUTO):  # as the table `lf_accuracy` has it
            intervals = accuracy_intervals(
                votes,
                k,
                None if balance is None else balance.tolist(),
                silence=True if found.silence.any() else None,
                accuracy=found.accuracy,
                posterior=found.posterior if ordered else None,
            )
            result.accuracy[given], result.precision[given] = _coverages(
                intervals, right, precision
            )


def _counted(votes: Votes, truth: Votes, n_classes: int) -> tuple[Floats, Floats]:
    """Accuracy [m] and precision [m, K] of each LF over these items; NaN without votes."""
    is_true = votes == truth[:, None]
    with np.errstate(invalid="ignore"):
        right = is_true.sum(axis=0) / (votes >= 0).sum(axis=0)
        precision = [
            ((votes == label) & is_true).sum(axis=0) / (votes == label).sum(axis=0)
            for label in range(n_classes)
        ]
    return right, np.stack(precision, axis=1)


def _coverages(
    found: AccuracyIntervals, right: Floats, precision: Floats
) -> tuple[Coverage, Coverage]:
    symbols = np.arange(precision.shape[1])
    low, high = found.precision_low[:, symbols], found.precision_high[:, symbols]
    return (
        _coverage(found.accuracy_low, found.accuracy_high, right),
        _coverage(low, high, precision),
    )


def _coverage(low: Floats, high: Floats, truth: Floats) -> Coverage:
    there = np.isfinite(truth)
    holds = (low <= truth) & (truth <= high)
    return Coverage(float(holds[there].mean()), float((high - low)[there].mean()))


def _score(posterior: Floats, truth: Votes) -> Score:
    return Score(scores(posterior, truth).accuracy, calibration_error(posterior, truth))
