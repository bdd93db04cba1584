"""Whether refined labels are the better training set: from hand labels, or without any."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import ENOUGH_GOLD, Choice
from epoxy_core.end_model import Embeddings, LinearHead, out_of_fold
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors import NeighborGraph, neighbor_graph
from epoxy_core.refinement.held_out import Labeler, held_out_lift
from epoxy_core.refinement.joint import Evidence, Floats, refine
from epoxy_core.refinement.plain import LEAST_PER_CLASS, trainable, unrefined

REFINED = "refined"
PLAIN = "label model"
MAJORITY = "majority vote"
GOLD = "hand labels alone"
STAGE = "training labels"

_SAMPLE = 20_000
_ROUNDS = 5
_NEIGHBORS = 32
_L2_BY_HAND = 0.1

FitModel = Callable[[npt.NDArray[np.int8], npt.NDArray[np.float32] | None], Floats]


def choose_labels(
    evidence: Evidence,
    hand_labels: npt.NDArray[np.int8],
    graph: NeighborGraph,
    label_model: FitModel,
    majority: FitModel,
    class_balance: Sequence[float] | None,
    keep: float,
) -> tuple[str, Choice]:
    """Compare classifiers trained on refined labels, the label model's, and the majority's.

    With 50 hand labels among the items or more, by the share of them that the classifier gets
    right, each by a head that was not trained on it; a classifier trained on nothing but hand
    labels is measured as well. With fewer, by `held_out_lift`. Refined labels are the favourite,
    having been the best on average on the sets this was developed on: another is taken only if
    it is better by more than two standard errors of the paired difference (without hand labels:
    two standard deviations over the halves).

    Parameters
    ----------
    evidence
        Of n items.
    hand_labels
        int8 [n], to measure by, −1 elsewhere; the evidence has those that may be trained on.
    graph
        Neighbour graph of the n items.
    label_model, majority
        Votes and their probabilities to P(class), float64 [n, K]; fitted on what they are given.
    class_balance
        The classes' shares, [K]; None: unknown.
    keep
        Share of the label model's labels that the cut statistic keeps.

    Returns
    -------
    chosen, choice
        `REFINED`, `PLAIN` or `MAJORITY`; and the scores.
    """
    hand = np.flatnonzero(hand_labels != ABSTAIN)
    measured = len(hand) >= ENOUGH_GOLD
    if len(hand_labels) > _SAMPLE:
        step = len(hand_labels) // _SAMPLE
        rows = np.unique(np.concatenate([np.arange(0, len(hand_labels), step), hand]))
        evidence, hand_labels = evidence.only(rows), hand_labels[rows]
        graph = neighbor_graph(_unit(evidence.features), _NEIGHBORS)
        hand = np.flatnonzero(hand_labels != ABSTAIN)

    def refined(part: Evidence, posterior: Floats) -> Floats:
        return refine(part, posterior.shape[1], class_balance, rounds=_ROUNDS).classifier

    def plain(part: Evidence, posterior: Floats) -> Floats:
        return unrefined(part, posterior, graph, keep).classifier

    def of_majority(part: Evidence, posterior: Floats) -> Floats:
        return unrefined(part, posterior, graph, 1.0).classifier

    candidates = {
        REFINED: _candidate(label_model, refined),
        PLAIN: _candidate(label_model, plain),
        MAJORITY: _candidate(majority, of_majority),
    }
    if measured:
        gold = hand_labels[hand]
        samples = {
            name: _right(classify(evidence)[hand], gold) for name, classify in candidates.items()
        }
        if (np.bincount(gold) >= LEAST_PER_CLASS).sum() > 1:
            by_hand = _by_hand(replace(evidence, gold=hand_labels))
            samples[GOLD] = _right(by_hand[hand], gold)
    else:
        blind = replace(evidence, gold=np.full_like(evidence.gold, ABSTAIN))
        samples = {name: held_out_lift(blind, label) for name, label in candidates.items()}
    known = {name: sample for name, sample in samples.items() if np.isfinite(sample).any()}
    if REFINED not in known:
        return REFINED, Choice(STAGE, REFINED, "There is nothing to compare by.")
    scores = {name: float(np.nanmean(sample)) for name, sample in known.items()}
    best = max(scores.keys() - {GOLD}, key=lambda name: (scores[name], name == REFINED))
    ahead = samples[best] - samples[REFINED]
    spread = float(np.nanstd(ahead))
    # Halves of the same labeling functions are no independent draws: their number proves little.
    error = 2 * spread / np.sqrt(len(hand)) if measured else 2 * spread
    gain = scores[best] - scores[REFINED]
    chosen = best if gain > error else REFINED
    reason = _reason(chosen, best, gain, error, len(hand) if measured else 0)
    if scores.get(GOLD, -np.inf) > scores[chosen]:
        reason += (
            f" The {len(hand)} hand labels alone do as well: {scores[GOLD]:.3f} against "
            f"{scores[chosen]:.3f} with weak labels."
        )
    measure = "dev accuracy, cross-fitted" if measured else "lift on votes left out"
    return chosen, Choice(STAGE, chosen, reason, measure, scores)


def _unit(features: Embeddings) -> npt.NDArray[np.float32]:
    """Rows of length one, as a neighbour graph wants them; zero rows stay."""
    rows = features.astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, np.float32(1))
    return rows


def _candidate(fit: FitModel, classify: Callable[[Evidence, Floats], Floats]) -> Labeler:
    """What a candidate says of part of the evidence; NaN where that is too little to train on."""

    def label(part: Evidence) -> Floats:
        posterior = fit(part.votes, part.strength)
        if not trainable(part, posterior):
            return np.full_like(posterior, np.nan)
        return classify(part, posterior)

    return label


def _right(probabilities: Floats, gold: npt.NDArray[np.int8]) -> Floats:
    """1 where the most probable class is right, 0 where it is not, NaN where there is none."""
    right = (probabilities.argmax(axis=1) == gold).astype(np.float64)
    return np.where(np.isnan(probabilities[:, 0]), np.nan, right)


def _by_hand(evidence: Evidence) -> Floats:
    """Predictions of a classifier trained on hand labels only, cross-fitted."""
    known = evidence.gold != ABSTAIN
    n_classes = int(evidence.gold.max()) + 1
    targets = np.where(known, evidence.gold, 0)
    return out_of_fold(
        lambda: LinearHead(n_classes, l2=_L2_BY_HAND),
        evidence.features,
        targets,
        known.astype(np.float64),
        folds=evidence.folds,
    )


def _reason(chosen: str, best: str, gain: float, error: float, n_hand: int) -> str:
    basis = f"{n_hand} dev labels" if n_hand else "the votes of labeling functions left out"
    if chosen != REFINED:
        return (
            f"By {basis}, refining does not help: a classifier trained on labels by {chosen} is "
            f"better by {gain:.3f} (uncertain by {error:.3f})."
        )
    if best != REFINED:
        return f"By {basis}, {best} is ahead by {gain:.3f}, which is uncertain by {error:.3f}."
    return f"The best by {basis}."
