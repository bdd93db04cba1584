"""``refined_labels``: labels that votes and embeddings agree on, to train with."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import numpy.typing as npt
import polars as pl

from assets.features import stored_features
from assets.keys import TRAINING, key, placed, pool
from assets.lineage import refined_labels_lineage
from assets.metadata import schema, table
from assets.predictions import prediction_rows, probability_matrix
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.combine import class_balance, fit_posterior
from epoxy_core.end_model import assign_folds
from epoxy_core.item_folds import fold_columns, fold_keys
from epoxy_core.item_order import item_order
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.refinement import Evidence, Refined
from epoxy_core.storage.choices import put_choices
from epoxy_core.storage.database import Database, put, selected
from epoxy_core.storage.votes import extended_votes
from epoxy_core.task import Task
from epoxy_core.training_labels import TrainingLabels, training_labels

LEAST_HAND_LABELS = 20
"""With fewer, the weight each would have lets single texts decide."""


def refined_labels_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Refine the label model's posterior by a cross-fitted classifier, if that helps."""
    names = [lf.name for lf in lfs]

    @dg.asset(
        key=key(task, "refined_labels"),
        deps=[
            key(task, name)
            for name in (
                "labels",
                "label_model",
                "dev_labels",
                "neighbors",
                "embeddings",
                *(["lexical"] if task.lexical_weight else []),
                *(["items"] if task.sequence else []),
            )
        ],
        description="Labels to train with: a classifier on the embeddings and the votes judge "
        "every item together, cross-fitted; or the label model's, where that is no worse.",
        code_version=code_version(
            __file__,
            "refinement",
            "training_labels.py",
            "item_folds.py",
            "item_order.py",
            "combine",
            "label_model",
            "end_model/linear.py",
            "end_model/softmax_regression.py",
            "end_model/out_of_fold.py",
            "end_model/gold.py",
            "end_model/selection.py",
            settings=[
                task.training_set.refine,
                task.training_set.hand_labels,
                task.training_set.votes,
                task.training_set.keep,
                task.label_model,
                task.sequence,
                task.lexical_weight,
                task.classes,
                names,
            ],
        ),
        metadata=schema("refined_labels", refined_labels_lineage(task)),
        pool=pool(task),
        **placed(task, TRAINING, "numpy", "duckdb"),
    )
    def refined_labels(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        items = database.query(
            f"SELECT i.item_id, i.split, {selected('i', fold_columns(task))},"
            " l.item_id IS NOT NULL AS labelled,"
            " m.probabilities AS own, x.probabilities AS extended FROM items i"
            " LEFT JOIN labels l USING (item_id)"
            " JOIN predictions m ON m.item_id = i.item_id AND m.stage = 'label_model'"
            " JOIN predictions x ON x.item_id = i.item_id AND x.stage = 'extended_votes'"
            " ORDER BY i.item_id"
        )
        stored = extended_votes(database, names)
        own = np.where(
            stored.source == np.arange(items.height)[:, None], stored.votes, np.int8(ABSTAIN)
        )
        dev = database.labels_by_row("dev")
        borrow = task.training_set.votes == "extended"
        evidence = Evidence(
            features=stored_features(task, store, items["content_hash"]),
            votes=own,
            strength=stored.strength,
            folds=assign_folds(fold_keys(task, items)),
            train=(items["split"] == "unlabeled").to_numpy(),
            gold=_to_train_on(task, dev),
            reached=items["labelled"].to_numpy() if borrow else None,
        )
        posterior = probability_matrix(items["extended" if borrow else "own"], task.n_classes)
        order = item_order(task, items)
        judges = dev if order is None else order.one_per_stretch(dev)
        balance = class_balance(task, dev, judges)
        made = training_labels(
            task,
            evidence,
            judges,
            posterior,
            store.neighbors(task).read(items["item_id"]),
            lambda votes, strength: fit_posterior(task, votes, strength, balance),
            balance,
        )
        return _publish(task, database, items["item_id"], made, evidence.gold)

    return refined_labels


def _to_train_on(task: Task, dev: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    few = np.count_nonzero(dev != ABSTAIN) < LEAST_HAND_LABELS
    if few or task.training_set.hand_labels == "hold_out":
        return np.full_like(dev, ABSTAIN)
    return dev


def _publish(
    task: Task,
    database: Database,
    item_ids: pl.Series,
    made: TrainingLabels,
    gold: npt.NDArray[np.int8],
) -> dg.MaterializeResult:
    found: Refined = made.found
    source = pl.Series("source", np.where(gold != ABSTAIN, "hand label", made.method))
    rows = (
        prediction_rows(task, "", item_ids, found.targets)
        .drop("stage")
        .with_columns(weight=pl.Series(found.weight), source=source)
        .filter(pl.col("weight") > 0)
    )
    predictions = prediction_rows(task, "refined", item_ids, found.posterior)
    with database.write() as connection:
        put(connection, "refined_labels", rows)
        put(connection, "predictions", predictions, "stage = ?", "refined")
        put_choices(connection, [made.choice], [made.choice.stage])
    scores = pl.DataFrame(
        {
            "candidate": list(made.choice.scores),
            made.choice.measure or "score": list(made.choice.scores.values()),
        },
        schema_overrides={"candidate": pl.String},
    )
    return dg.MaterializeResult(
        data_version=data_version(np.round(found.targets, 6), found.weight, made.method),
        metadata={
            "dagster/row_count": rows.height,
            "method": made.method,
            "reason": made.choice.reason,
            "candidates": table(scores),
            "hand_labels": int((gold != ABSTAIN).sum()),
            "rounds": len(found.moved),
            "moved_in_the_last_round": found.moved[-1] if found.moved else 0.0,
        },
    )
