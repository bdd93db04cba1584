"""The product's pipeline, stage by stage, with the defaults of ``task.yaml``.

Fitted on the train items alone, so that test items are what they are in the field: not there yet.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import Choice
from epoxy_core.embed import LexicalVectors, joined
from epoxy_core.end_model import assign_folds
from epoxy_core.extension import BorrowedVoteCalibration, nearest_in, propagate
from epoxy_core.label_model import extended_posterior, make_label_model
from epoxy_core.label_model.chain import TemporalChain
from epoxy_core.labeling import ABSTAIN
from epoxy_core.neighbors import NeighborGraph, neighbor_graph, random_similarity
from epoxy_core.refinement import REFINED, Evidence, FitModel, refine, unrefined
from epoxy_core.settings import Extension, LabelModelSettings
from epoxy_core.source_settings import TextSource
from epoxy_core.task import LEXICAL_WEIGHT, Task
from epoxy_core.training_labels import KEPT_UNREFINED, TrainingLabels, training_labels

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]
Embeddings = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LABEL_MODEL = "label model"
EXTENDED = "label model on extended votes"
PROPAGATED = "posterior propagated over the graph"
END_MODEL = "label model → cut → end model"
REFINED_END = "refined labels → end model"
AUTO = "auto"
AUTO_DEV = "auto, with the valid labels"
STAGES = (LABEL_MODEL, EXTENDED, PROPAGATED, END_MODEL, REFINED_END, AUTO, AUTO_DEV)
CHAIN = "temporal chain"
METHOD = LabelModelSettings().method
FRAME_STAGES = (LABEL_MODEL, CHAIN)
_QUERIES_AT_ONCE = 1000


class Ours(NamedTuple):
    """What the product says of all items, and why.

    Attributes
    ----------
    probabilities
        float64 [n, K] by name of the stage, `STAGES`.
    choices
        What `AUTO` and `AUTO_DEV` chose.
    """

    probabilities: dict[str, Floats]
    choices: dict[str, Choice]


def stages(
    votes: Votes,
    texts: Sequence[str],
    embeddings: Embeddings,
    train: Mask,
    gold: Votes,
    n_classes: int,
) -> Ours:
    """Label all items by every stage; only the last one reads hand labels.

    Parameters
    ----------
    votes
        int8 [n, m], −1 = abstain.
    texts
        n texts.
    embeddings
        float32 [n, d], unit rows.
    train
        bool [n], the items to learn from.
    gold
        int8 [n], the class of dev items, −1 elsewhere.
    n_classes
        K.
    """
    none = np.full_like(gold, ABSTAIN)
    fit = _label_model(train, n_classes, None)
    own = fit(votes, None)
    model = make_label_model(METHOD, n_classes).fit(votes[train])
    extended = _extended(votes, own, model.accuracy_, embeddings, train, n_classes)
    graph = _train_graph(embeddings, train)
    evidence = Evidence(
        _features(texts, embeddings, train), votes, None, _folds(texts), train, none
    )
    plain = unrefined(evidence, own, graph, KEPT_UNREFINED)
    auto = training_labels(_task(n_classes), evidence, none, own, graph, fit, None)
    balance = _balance(gold, n_classes)
    informed = _label_model(train, n_classes, balance)
    with_gold = training_labels(
        _task(n_classes),
        replace(evidence, gold=gold),
        gold,
        informed(votes, None),
        graph,
        informed,
        balance,
    )
    return Ours(
        {
            LABEL_MODEL: own,
            EXTENDED: extended,
            PROPAGATED: _propagated(votes, extended, embeddings, train, graph),
            END_MODEL: plain.classifier,
            REFINED_END: refine(evidence, n_classes).classifier,
            AUTO: _answer(auto),
            AUTO_DEV: _answer(with_gold),
        },
        {AUTO: auto.choice, AUTO_DEV: with_gold.choice},
    )


def _answer(made: TrainingLabels) -> Floats:
    """Votes and classifier together, or where labels are not refined the classifier."""
    return made.found.posterior if made.method == REFINED else made.found.classifier


def _label_model(train: Mask, n_classes: int, balance: list[float] | None) -> FitModel:
    def fit(votes: Votes, strength: npt.NDArray[np.float32] | None) -> Floats:
        model = make_label_model(METHOD, n_classes, balance)
        return model.fit(votes[train]).predict_proba(votes, strength)

    return fit


def _balance(gold: Votes, n_classes: int) -> list[float]:
    counts = np.bincount(gold[gold != ABSTAIN], minlength=n_classes) + 1.0
    return [float(share) for share in counts / counts.sum()]


def _features(texts: Sequence[str], embeddings: Embeddings, train: Mask) -> Embeddings:
    """Embeddings and lexical vectors, the latter fitted on the train texts."""
    seen = [text for text, learned in zip(texts, train, strict=True) if learned]
    lexical = LexicalVectors().fit(seen).transform(texts)
    return joined(embeddings, lexical, LEXICAL_WEIGHT)


def _folds(texts: Sequence[str]) -> npt.NDArray[np.int16]:
    return assign_folds([f"{text}" if text else f"{row}" for row, text in enumerate(texts)])


def _train_graph(embeddings: Embeddings, train: Mask) -> NeighborGraph:
    """Neighbours of train items among themselves; no other item's are looked at."""
    rows = np.flatnonzero(train)
    found = neighbor_graph(embeddings[train], Extension().neighbors)
    indices = np.zeros((len(embeddings), found.indices.shape[1]), dtype=np.int32)
    similarity = np.zeros(indices.shape, dtype=np.float32)
    indices[train], similarity[train] = rows[found.indices], found.similarity
    return NeighborGraph(indices, similarity)


def _propagated(
    votes: Votes, extended: Floats, embeddings: Embeddings, train: Mask, graph: NeighborGraph
) -> Floats:
    """Spread the train items' posterior, whether or not an item borrows; own votes stay.

    Of items that are not train only the similarities are seen by others, in the weights' scale.
    """
    voted = (votes != ABSTAIN).any(axis=1)
    found = propagate(extended, voted, _to_train(embeddings, train, graph))
    return np.where(voted[:, None], extended, found)


def _to_train(embeddings: Embeddings, train: Mask, graph: NeighborGraph) -> NeighborGraph:
    """Add to the graph of train items the others' neighbours, which are train items, too."""
    support = np.flatnonzero(train).astype(np.int32)
    indices, similarity = graph.indices.copy(), graph.similarity.copy()
    k = indices.shape[1]
    others = np.flatnonzero(~train)
    for first in range(0, len(others), _QUERIES_AT_ONCE):
        rows = others[first : first + _QUERIES_AT_ONCE]
        to_all = embeddings[rows] @ embeddings[support].T
        nearest = np.argpartition(-to_all, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(to_all, nearest, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        indices[rows] = support[np.take_along_axis(nearest, order, axis=1)]
        similarity[rows] = np.take_along_axis(near, order, axis=1)
    return NeighborGraph(indices, similarity)


def _task(n_classes: int) -> Task:
    """A task with the defaults of ``task.yaml``."""
    return Task(
        name="benchmark",
        source=TextSource(paths=["-"]),
        classes=[str(label) for label in range(n_classes)],
    )


def frame_stages(votes: Votes, labelled: Votes, n_classes: int) -> dict[str, Floats]:
    """Label consecutive frames, int8 [q, m], by models fitted on others, int8 [n, m].

    Returns
    -------
    float64 [q, K] by name of the model: every frame for itself, and all as one sequence.
    """
    model = make_label_model(METHOD, n_classes).fit(votes)
    chain = TemporalChain(n_classes).fit(votes, np.zeros(len(votes), dtype=np.int64))
    sequence = np.zeros(len(labelled), dtype=np.int64)
    return {
        LABEL_MODEL: model.predict_proba(labelled),
        CHAIN: chain.predict_proba(labelled, sequence),
    }


def _extended(
    votes: Votes, own: Floats, accuracy: Floats, embeddings: Embeddings, train: Mask, n_classes: int
) -> Floats:
    """Lend every item the votes of train items, weigh them as the train items suggest."""
    floor = random_similarity(embeddings[train])
    candidates, similarity = votes.copy(), np.ones(votes.shape, dtype=np.float32)
    for lf in range(votes.shape[1]):
        abstains = np.flatnonzero(votes[:, lf] == ABSTAIN)
        support = np.flatnonzero(train & (votes[:, lf] != ABSTAIN))
        nearest = nearest_in(embeddings, abstains, support)
        near = nearest.similarity >= floor
        lent = votes[nearest.index, lf]
        candidates[abstains, lf] = np.where(near, lent, np.int8(ABSTAIN))
        similarity[abstains, lf] = np.where(near, nearest.similarity, np.float32(np.nan))
    calibration = BorrowedVoteCalibration(n_classes, floor=floor)
    calibration.fit(own[train], votes[train], candidates[train], similarity[train], accuracy)
    counts = (votes != ABSTAIN) | (similarity >= np.maximum(calibration.thresholds_, floor))
    counted = np.where(counts, candidates, np.int8(ABSTAIN))
    return extended_posterior(own, votes, counted, calibration.weight(similarity))
