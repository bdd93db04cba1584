"""The product's pipeline, stage by stage, with the defaults of ``task.yaml``.

Fitted on the train items alone, so that test items are what they are in the field: not there yet.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from epoxy_core.end_model import LinearHead, cut_statistic, select
from epoxy_core.extension import (
    BorrowedVoteCalibration,
    nearest_in,
    neighbor_graph,
    random_similarity,
)
from epoxy_core.label_model import extended_posterior, hard_labels, make_label_model
from epoxy_core.label_model.chain import TemporalChain
from epoxy_core.labeling import ABSTAIN
from epoxy_core.settings import EndModel, Extension, LabelModelSettings, TrainingSet

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]
Embeddings = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LABEL_MODEL = "label model"
EXTENDED = "label model on extended votes"
END_MODEL = "end model"
AUTO = "auto"
STAGES = (LABEL_MODEL, EXTENDED, END_MODEL, AUTO)
CHAIN = "temporal chain"
FRAME_STAGES = (LABEL_MODEL, CHAIN)


def stages(
    votes: Votes,
    texts: Sequence[str],
    embeddings: Embeddings,
    train: Mask,
    gold: Votes,
    n_classes: int,
) -> dict[str, Floats]:
    """Label all items by every stage.

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

    Returns
    -------
    float64 [n, K] by name of the stage, `STAGES`.
    """
    model = make_label_model(LabelModelSettings().method, n_classes).fit(votes[train])
    own = model.predict_proba(votes)
    extended = _extended(votes, own, model.accuracy_, embeddings, train, n_classes)
    end = _end_model(votes, own, embeddings, train, n_classes)
    return {LABEL_MODEL: own, EXTENDED: extended, END_MODEL: end, AUTO: end}


def frame_stages(votes: Votes, labelled: Votes, n_classes: int) -> dict[str, Floats]:
    """Label consecutive frames, int8 [q, m], by models fitted on others, int8 [n, m].

    Returns
    -------
    float64 [q, K] by name of the model: every frame for itself, and all as one sequence.
    """
    model = make_label_model(LabelModelSettings().method, n_classes).fit(votes)
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


def _end_model(
    votes: Votes, own: Floats, embeddings: Embeddings, train: Mask, n_classes: int
) -> Floats:
    """Train on the covered train items that agree most with their neighbours."""
    settings, head = TrainingSet(), EndModel()
    covered = (votes[train] != ABSTAIN).any(axis=1)
    labels = np.where(covered, hard_labels(own[train]), np.int8(ABSTAIN))
    graph = neighbor_graph(embeddings[train], Extension().neighbors)
    kept = select(cut_statistic(labels, graph, n_classes), labels, settings.keep)
    model = LinearHead(n_classes, l2=head.l2, labels=head.labels)
    return model.fit(embeddings[train][kept], own[train][kept]).predict_proba(embeddings)
