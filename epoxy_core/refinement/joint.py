"""Labels refined by a classifier in the loop: votes and embeddings judge each item together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model import Embeddings, EndModelHead, LinearHead, mix_gold, out_of_fold
from epoxy_core.label_model import VoteEvidence, softmax
from epoxy_core.labeling import ABSTAIN

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

SHARPNESS = 2.0
_VOTE_STEPS = 5
_STILL = 0.001
_LEAST = 1e-4
_ENOUGH = 20_000  # weakly labelled items that a round's classifiers learn from


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that is known of n items.

    Attributes
    ----------
    features
        float32 or float16 [n, d], of the classifier.
    votes
        int8 [n, m] symbols, −1 = abstain.
    strength
        float32 [n, m], probabilities of soft votes; None: all are plain.
    folds
        int16 [n], which of the cross-fitted classifiers must not see the item: `assign_folds`.
    train
        bool [n], items to learn from.
    gold
        int8 [n], hand labels that may be learned from, −1 elsewhere.
    reached
        bool [n], items with a label though no LF voted on them; none when absent.
    """

    features: Embeddings
    votes: Labels
    strength: npt.NDArray[np.float32] | None
    folds: npt.NDArray[np.int16]
    train: Flags
    gold: Labels
    reached: Flags | None = None

    @property
    def weak(self) -> Flags:
        """Items to learn from that have votes and no hand label, bool [n]."""
        labelled = (self.votes != ABSTAIN).any(axis=1)
        if self.reached is not None:
            labelled |= self.reached
        return np.asarray(self.train & labelled & (self.gold == ABSTAIN))

    def only(self, rows: npt.NDArray[np.intp]) -> "Evidence":
        """The same of some items."""
        return Evidence(
            self.features[rows],
            self.votes[rows],
            None if self.strength is None else self.strength[rows],
            self.folds[rows],
            self.train[rows],
            self.gold[rows],
            None if self.reached is None else self.reached[rows],
        )

    def of_lfs(self, lfs: npt.NDArray[np.intp]) -> "Evidence":
        """The same with the votes of some labeling functions, and no others."""
        strength = None if self.strength is None else self.strength[:, lfs]
        return replace(self, votes=self.votes[:, lfs], strength=strength, reached=None)


class Refined(NamedTuple):
    """What votes and embeddings say together.

    Attributes
    ----------
    posterior
        float64 [n, K], from an item's votes and from a classifier that never saw it. A hand label
        is not looked at for its own item.
    classifier
        float64 [n, K], the latter alone.
    targets
        float64 [n, K], what a model is to be trained on: the posterior, or the hand label.
    weight
        float64 [n], how much each item counts in training; 0: not at all.
    moved
        Share of the weak labels that each round changed.
    """

    posterior: Floats
    classifier: Floats
    targets: Floats
    weight: Floats
    moved: tuple[float, ...]


def refine(
    evidence: Evidence,
    n_classes: int,
    class_balance: Sequence[float] | None = None,
    *,
    rounds: int = 10,
    make_head: Callable[[int], EndModelHead] | None = None,
) -> Refined:
    """Alternate between a classifier trained on labels and labels that heed the classifier.

    The label model knows how items were voted on; a classifier on their embeddings knows what
    similar items were found to be. As in Raykar et al. (2010, Learning from crowds), EM joins
    them: P(class | item) by the classifier takes the place of the class balance in Dawid–Skene,
    and the posterior trains both the confusion matrices and the classifier. Three things keep it
    from confirming itself: the classifier is cross-fitted, so that no item is judged by a head
    trained on it; targets are soft, so that early doubts stay doubts; and its classes' shares are
    held at the class balance, because left alone the largest class grows until it has everything.
    (Held half-way, in log-odds, it still does where few LFs vote one class each. The price is
    that a rare class is overstated where the balance is not known.) Hand labels hold the shares
    as well: they are held at the class balance as far as the training weight is that of weak
    labels.

    The classifier's log-odds count twice: trained on soft labels it is too modest.

    Parameters
    ----------
    evidence
        Of n items.
    n_classes
        K.
    class_balance
        The classes' shares, [K]; uniform when none is given.
    rounds
        At most; it ends when fewer than one label in a thousand moves.
    make_head
        Makes the classifier for K classes; by default logistic regression on soft labels.

    Raises
    ------
    EpoxyError
        If there are too few items to train on, or items of one class only.
    """
    balance = np.full(n_classes, 1 / n_classes) if class_balance is None else class_balance
    make = make_head or (lambda k: LinearHead(k, labels="soft"))
    weak, hand = evidence.weak, np.flatnonzero(evidence.gold != ABSTAIN)
    learned = weak | (evidence.gold != ABSTAIN)
    known = np.eye(n_classes)[evidence.gold[hand]]
    votes = VoteEvidence(evidence.votes, evidence.strength, n_classes)
    current, moved = votes.by_votes(weak), []
    targets, weight = mix_gold(current, weak.astype(float), hand, evidence.gold[hand], n_classes)
    sample = _thinned(weight, weak)
    held = weight[weak].sum() / weight.sum()
    for _ in range(rounds):
        classifier = out_of_fold(
            lambda: make(n_classes), evidence.features, targets, sample, folds=evidence.folds
        )
        surprise = np.log(balance) - np.log(np.maximum(classifier[weak].mean(axis=0), _LEAST))
        prior = SHARPNESS * np.log(np.maximum(classifier, _LEAST)) + held * surprise
        before = current.argmax(axis=1)
        for _ in range(_VOTE_STEPS):
            current = softmax(prior + votes.scores(votes.learn(targets, learned)))
            targets = current.copy()
            targets[hand] = known
        moved.append(float((current.argmax(axis=1) != before)[weak].mean()))
        if moved[-1] < _STILL:
            break
    return Refined(current, classifier, targets, weight, tuple(moved))


def _thinned(weight: Floats, weak: Flags) -> Floats:
    """Leave some 20,000 weak rows, evenly spread; each stands for those left out."""
    step = max(1, int(weak.sum()) // _ENOUGH)
    kept = np.zeros(len(weak), dtype=np.bool_)
    kept[np.flatnonzero(weak)[::step]] = True
    return np.where(weak, kept * float(step), 1.0) * weight
