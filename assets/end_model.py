"""``end_model``: a classifier on the embeddings, trained on the training set."""

import dagster as dg
import numpy as np
import polars as pl

from assets.encoder import encoder_of
from assets.features import features_fingerprint, stored_features
from assets.keys import TRAINING, key, placed, pool
from assets.predictions import prediction_rows, probability_matrix
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.end_model import (
    EndModelHead,
    ModelCard,
    assign_folds,
    card_path,
    fit_scaling,
    make_head,
    out_of_fold,
)
from epoxy_core.evaluation import score
from epoxy_core.item_folds import fold_columns, fold_keys
from epoxy_core.refinement import REFINED
from epoxy_core.settings import EndModel
from epoxy_core.storage.database import Database, selected
from epoxy_core.task import Task


def end_model_asset(task: Task, settings: EndModel) -> dg.AssetsDefinition:
    """Train, save, and predict every item."""
    encoder = encoder_of(task).fingerprint
    lexical = task.lexical_weight

    @dg.asset(
        key=key(task, "end_model"),
        deps=[
            key(task, name)
            for name in (
                "training_set",
                "embeddings",
                *(["lexical"] if lexical else []),
                *(["items"] if task.sequence else []),
            )
        ],
        description="A classifier on the embeddings; also predicts the items no labeling function "
        "reaches. Dev items it was trained on are predicted by heads that did not see them.",
        code_version=code_version(
            __file__,
            "end_model",
            "item_folds.py",
            "item_order.py",
            settings=[encoder, settings, lexical, task.sequence, task.classes],
        ),
        pool=pool(task),
        **placed(task, TRAINING, "numpy", "duckdb"),
    )
    def end_model(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        rows = database.query(
            f"SELECT i.item_id, {selected('i', fold_columns(task))}, t.probabilities, t.weight,"
            " t.source, t.run_id"
            " FROM items i LEFT JOIN training_set t USING (item_id) ORDER BY i.item_id"
        )
        features = stored_features(task, store, rows["content_hash"])
        weight = rows["weight"].fill_null(0.0).to_numpy()
        trained = weight > 0
        targets = probability_matrix(rows["probabilities"], task.n_classes)

        labels = settings.labels
        if labels == "auto":
            labels = "soft" if (rows["source"] == REFINED).any() else "hard"

        def head() -> EndModelHead:
            if settings.head == "mlp":
                return make_head("mlp", task.n_classes, hidden=settings.hidden, labels=labels)
            return make_head("linear", task.n_classes, l2=settings.l2, labels=labels)

        trained_head = head().fit(features, targets, weight)
        probabilities = trained_head.predict_proba(features)
        by_hand = (rows["source"] == "hand label").fill_null(False).to_numpy()
        if by_hand.any():
            unseen = out_of_fold(
                head, features, targets, weight, folds=assign_folds(fold_keys(task, rows))
            )
            unseen = unseen[by_hand]
            if labels == "hard":  # soft labels keep a head calibrated, hard ones not
                scaling = fit_scaling(unseen, targets[by_hand].argmax(axis=1))
                trained_head.scaling_, unseen = scaling, scaling.rescale(unseen)
                probabilities = trained_head.predict_proba(features)
            probabilities[by_hand] = unseen
        file = store.paths.end_model(task.name)
        card = ModelCard(
            task=task.name,
            description=task.description,
            pipeline=_pipeline(task),
            encoder_name=encoder_of(task).name,
            weak_labels=int((trained & ~by_hand).sum()),
            gold_labels=int(by_hand.sum()),
            label_source=", ".join(rows["source"].drop_nulls().unique().sort()),
            label_run=rows["run_id"].drop_nulls().max() or "",  # type: ignore[arg-type]
            scores=_dev_scores(task, database, rows["item_id"], probabilities),
        )
        vectors = features_fingerprint(task, store.paths.lexical(task.name))
        trained_head.save(file, classes=task.classes, encoder=vectors, card=card)
        predictions = prediction_rows(task, "end_model", rows["item_id"], probabilities)
        database.replace("predictions", predictions, "stage = ?", "end_model")
        return dg.MaterializeResult(
            data_version=data_version(np.round(probabilities, 6)),
            metadata={
                "dagster/row_count": rows.height,
                "training_items": int(trained.sum()),
                "hand_labels": int(by_hand.sum()),
                "saved_to": dg.MetadataValue.path(str(file)),
                "model_card": dg.MetadataValue.md(card_path(file).read_text(encoding="utf-8")),
            },
        )

    return end_model


def _pipeline(task: Task) -> str:
    if task.video is None:
        return "text-classification"
    return "image-classification" if task.video.items == "frame" else "video-classification"


def _dev_scores(
    task: Task, database: Database, item_ids: pl.Series, probabilities: np.ndarray
) -> dict[str, dict[str, float]]:
    """What the card may say of it: dev items, each by a head that did not see it."""
    dev = database.labels_by_row("dev")
    known = np.flatnonzero(dev >= 0)
    if not len(known):
        return {}
    found = score(probabilities[known], dev[known])
    return {"dev": {"accuracy": found.accuracy, "macro_f1": found.macro_f1}}
