"""All methods on one set: probabilities of every item, and the time they took."""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.quality.data import TextSet
from benchmarks.quality.frames import FrameSet
from benchmarks.quality.ours import FRAME_STAGES, STAGES, frame_stages, stages
from benchmarks.quality.peers import Peers
from benchmarks.quality.published_epoxy import tuned_epoxy
from benchmarks.quality.scores import then_regression
from epoxy_core.choices import Choice
from epoxy_core.label_model import MajorityVote

SEEDS = range(5)
MAJORITY, SNORKEL, FLYING_SQUID = "majority vote", "Snorkel", "FlyingSquid"
DAWID_SKENE = "Dawid–Skene"
EPOXY, CHAIN_OF_3 = "Epoxy as published", "FlyingSquid, chain of 3"
THEN = " → LR"
OURS = "ours: "
BASELINE = SNORKEL + THEN

Floats = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a method says of all items, once per seed, and the mean seconds of a run.

    ``seconds`` is None where a stage's time is part of a later one's; ``choice`` is what a method
    decided by itself.
    """

    probabilities: tuple[Floats, ...]
    seconds: float | None
    choice: Choice | None = None


Outcomes = dict[str, Outcome]


def text_methods() -> tuple[str, ...]:
    """Names of the methods, in the table's order."""
    models = (MAJORITY, SNORKEL, FLYING_SQUID, DAWID_SKENE, EPOXY)
    both = [name for model in models for name in (model, model + THEN)]
    return (*both, *(OURS + stage for stage in STAGES))


def run_texts(texts: TextSet, embeddings: Embeddings, peers: Peers) -> Outcomes:
    """Run all methods; those that are not for so many classes are left out.

    Everything is fitted on train votes. Gold labels of valid items give FlyingSquid its class
    balance and Epoxy its thresholds. Nothing sees the gold labels of train or test items.
    """
    found: Outcomes = {}
    train, votes = texts.votes[texts.train], texts.votes
    for name, outcome in _label_models(train, votes, texts.n_classes, _balance(texts), peers):
        found[name] = outcome
        found[name + THEN] = _then(texts, embeddings, outcome, texts.covered)
    extended, covered = _epoxy(texts, embeddings, peers)
    found[EPOXY] = extended
    found[EPOXY + THEN] = _then(texts, embeddings, extended, covered)
    found.update(run_ours(texts, embeddings))
    return found


def run_ours(texts: TextSet, embeddings: Embeddings) -> Outcomes:
    """Run the product's stages; the time of all is that of the last."""
    started = time.perf_counter()
    found = stages(
        texts.votes, texts.texts, embeddings, texts.train, texts.dev_gold, texts.n_classes
    )
    seconds = time.perf_counter() - started
    return {
        OURS + stage: Outcome(
            (found.probabilities[stage],),
            seconds if stage == STAGES[-1] else None,
            found.choices.get(stage),
        )
        for stage in STAGES
    }


def run_frames(frames: FrameSet, peers: Peers) -> Outcomes:
    """Run the label models on votes of consecutive frames; the class balance stays unknown."""
    found = dict(_label_models(frames.votes, frames.labelled, 2, None, peers))
    found[CHAIN_OF_3] = _peer(
        peers, "flyingsquid_chain", frames.votes, frames.labelled, 2, None, SEEDS[:1]
    )
    started = time.perf_counter()
    by_stage = frame_stages(frames.votes, frames.labelled, 2)
    seconds = time.perf_counter() - started
    for stage, probabilities in by_stage.items():
        last = stage == FRAME_STAGES[-1]
        found[OURS + stage] = Outcome((probabilities,), seconds if last else None)
    return found


def same(one: Outcomes, other: Outcomes) -> bool:
    """Whether two runs gave the same probabilities, bit for bit."""
    return one.keys() == other.keys() and all(
        a.tobytes() == b.tobytes()
        for name in one
        for a, b in zip(one[name].probabilities, other[name].probabilities, strict=True)
    )


def _label_models(
    fit: npt.NDArray[np.int8],
    predict: npt.NDArray[np.int8],
    n_classes: int,
    balance: Floats | None,
    peers: Peers,
) -> list[tuple[str, Outcome]]:
    started = time.perf_counter()
    majority = MajorityVote(n_classes).fit(fit).predict_proba(predict)
    outcomes = [(MAJORITY, Outcome((majority,), time.perf_counter() - started))]
    asked: list[tuple[str, str, Floats | None, range]] = [
        (SNORKEL, "snorkel", None, SEEDS),
        (FLYING_SQUID, "flyingsquid", balance, SEEDS[:1]),
        (DAWID_SKENE, "dawid_skene", None, SEEDS[:1]),
    ]
    for name, method, given, seeds in asked:
        if name != FLYING_SQUID or n_classes == 2:
            outcomes.append((name, _peer(peers, method, fit, predict, n_classes, given, seeds)))
    return outcomes


def _peer(
    peers: Peers,
    method: str,
    fit: npt.NDArray[np.int8],
    predict: npt.NDArray[np.int8],
    n_classes: int,
    balance: Floats | None,
    seeds: range,
) -> Outcome:
    answers = [peers.label(method, fit, predict, n_classes, balance, seed) for seed in seeds]
    return Outcome(
        tuple(answer.probabilities for answer in answers),
        float(np.mean([answer.seconds for answer in answers])),
    )


def _epoxy(
    texts: TextSet, embeddings: Embeddings, peers: Peers
) -> tuple[Outcome, npt.NDArray[np.bool_]]:
    """Epoxy with FlyingSquid as in its notebook; with majority vote where there are more classes.

    Its time is that of tuning with all label models it fits.
    """
    balance = _balance(texts)

    def label(fit: npt.NDArray[np.int8], predict: npt.NDArray[np.int8]) -> Floats:
        if texts.n_classes > 2:
            return MajorityVote(texts.n_classes).fit(fit).predict_proba(predict)
        return peers.label("flyingsquid_median", fit, predict, 2, balance).probabilities

    started = time.perf_counter()
    tuned = tuned_epoxy(texts.votes, embeddings, texts.train, texts.dev_gold, label)
    seconds = time.perf_counter() - started
    return Outcome((tuned.probabilities,), seconds), np.asarray((tuned.votes >= 0).any(axis=1))


def _then(
    texts: TextSet, embeddings: Embeddings, before: Outcome, covered: npt.NDArray[np.bool_]
) -> Outcome:
    started = time.perf_counter()
    after = tuple(
        then_regression(texts, embeddings, probabilities, covered)
        for probabilities in before.probabilities
    )
    seconds = (time.perf_counter() - started) / len(after)
    return Outcome(after, (before.seconds or 0.0) + seconds)


def _balance(texts: TextSet) -> Floats:
    counts = np.bincount(texts.gold[texts.valid], minlength=texts.n_classes)
    return np.asarray(counts / counts.sum())
