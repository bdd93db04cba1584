"""``label_model``: votes to probabilities, without and with the borrowed ones."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LABELS, extended_key, key, placed, pool
from assets.lineage import label_model_lineage
from assets.metadata import schema, table
from assets.predictions import prediction_rows
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.combine import Combined, Reach, VoteMatrices, combine
from epoxy_core.item_order import item_order
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.lf_accuracy import LFAccuracy, lf_accuracy
from epoxy_core.storage.choices import choice_rows
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.learned import put_learned
from epoxy_core.storage.votes import extended_votes, keep_only
from epoxy_core.task import Task

LATER_STAGES = ["refined", "end_model"]
"""Stages whose predictions are others' to replace."""


def label_model_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Fit on own votes; weigh borrowed ones by what their similarity is worth."""
    names = [lf.name for lf in lfs]
    method = f"`{task.label_model.method}`"
    if task.sequence:
        instead = f", or where that does no good {method}," * (task.label_model.sequence == "auto")
        method = f"A chain over time{instead}"
    propagated = task.extension.weighting == "propagated"
    borrowed = (
        "items that borrow votes take their neighbours' mean posterior"
        if propagated
        else f"borrowed votes are added {task.extension.weighting}"
    )

    @dg.asset(
        key=key(task, "label_model"),
        deps=[
            *(extended_key(task, name) for name in names),
            key(task, "dev_labels"),
            *([key(task, "items")] if task.sequence else []),
            *([key(task, "neighbors")] if propagated else []),
        ],
        description=f"{method} on the LFs' own votes, beside majority vote; {borrowed}.",
        code_version=code_version(
            __file__,
            "label_model",
            "labeling/symbols.py",
            "extension/calibration.py",
            "extension/kernels.py",
            "extension/propagation.py",
            "combine",
            "item_order.py",
            "lf_accuracy.py",
            settings=[task.label_model, task.extension, task.classes, names],
        ),
        metadata=schema("label_model", label_model_lineage(task, names)),
        pool=pool(task),
        **placed(task, LABELS, "numpy", "duckdb"),
    )
    def label_model(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        votes, source, similarity, strength = extended_votes(database, names)
        own = np.where(source == np.arange(len(votes))[:, None], votes, np.int8(ABSTAIN))
        reach = pl.DataFrame({"lf": names}).join(
            database.query("SELECT * FROM extension"), on="lf", maintain_order="left"
        )
        gold, order = database.labels_by_row("dev"), None
        if task.sequence:
            items = database.query("SELECT * EXCLUDE (text) FROM items ORDER BY item_id")
            order = item_order(task, items)
        item_ids, graph = database.item_ids(), None
        if propagated:
            graph = store.neighbors(task).read(item_ids)
        combined = combine(
            task,
            VoteMatrices(own, votes, similarity, strength, tuple(names), order),
            Reach(
                least=reach["least_similarity"].to_numpy(),
                label_free=(reach["origin"] == "auto").to_numpy(),
                floor=float(reach["floor"][0]),
            ),
            gold,
            graph,
        )
        return publish_label_model(
            task,
            database,
            names,
            item_ids,
            own,
            combined,
            lf_accuracy(task, names, own, combined, gold),
        )

    return label_model


def publish_label_model(
    task: Task,
    database: Database,
    names: Sequence[str],
    item_ids: pl.Series,
    own: np.ndarray,
    combined: Combined,
    accuracy: LFAccuracy,
) -> dg.MaterializeResult:
    """Store what was learned and every stage's opinion; forget LFs that are no more."""
    covered, reached = (own != ABSTAIN).any(axis=1), combined.reached
    informed = covered | combined.in_sequence
    predictions = pl.concat(
        [
            prediction_rows(task, "majority_vote", item_ids, combined.majority, covered),
            prediction_rows(task, "label_model", item_ids, combined.own, informed),
            prediction_rows(task, "extended_votes", item_ids, combined.extended, reached),
        ]
    )
    with database.write() as connection:
        learned = put_learned(connection, names, combined, accuracy.by_lf)
        put(connection, "lf_accuracy", accuracy.by_vote)
        put(connection, "predictions", predictions, "NOT list_contains(?, stage)", LATER_STAGES)
        keep_only(connection, names)
    agreement = (combined.majority.argmax(axis=1) == combined.own.argmax(axis=1))[covered]
    return dg.MaterializeResult(
        asset_key=key(task, "label_model"),
        data_version=data_version(
            np.round(combined.extended, 6), np.round(combined.own, 6), reached, learned
        ),
        metadata={
            "dagster/row_count": len(item_ids),
            "learned": table(learned),
            "chosen_by_itself": table(choice_rows(combined.choices)),
            "warnings": "; ".join(c.warning for c in combined.choices if c.warning) or "none",
            "lf_accuracy": table(accuracy.by_vote),
            "coverage": float(covered.mean()),
            "extended_coverage": float(reached.mean()),
            "agreement_with_majority": float(agreement.mean() if agreement.size else 1.0),
        },
    )
