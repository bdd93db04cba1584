"""``label_model``: votes to probabilities, without and with the borrowed ones."""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import numpy.typing as npt
import polars as pl

from assets.keys import LABELS, extended_key, key, placed, pool
from assets.metadata import schema, table
from assets.predictions import prediction_rows
from assets.store import Store
from assets.versions import code_version, data_version
from assets.votes import VoteMatrices, vote_matrices
from epoxy_core.extension import BorrowedVoteCalibration
from epoxy_core.label_model import LabelModel, MajorityVote, extended_posterior, make_label_model
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.storage.database import Database, put
from epoxy_core.task import Task

STAGES = ("majority_vote", "label_model", "extended_votes")


def label_model_asset(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """Fit on own votes; weigh borrowed ones by what their similarity is worth."""
    names = [lf.name for lf in lfs]

    @dg.asset(
        key=key(task, "label_model"),
        deps=[*(extended_key(task, name) for name in names), key(task, "dev_labels")],
        description=f"`{task.label_model.method}` on the LFs' own votes, beside majority vote; "
        f"borrowed votes are added {task.extension.weighting}.",
        code_version=code_version(
            __file__,
            "label_model",
            "extension/calibration.py",
            settings=[task.label_model, task.extension, task.classes, names],
        ),
        metadata=schema("label_model"),
        pool=pool(task),
        **placed(task, LABELS, "numpy", "duckdb"),
    )
    def label_model(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        votes = vote_matrices(database, names)
        balance = _class_balance(task, database)
        majority = MajorityVote(task.n_classes, balance).fit(votes.own).predict_proba(votes.own)
        model = make_label_model(task.label_model.method, task.n_classes, balance).fit(votes.own)
        own = model.predict_proba(votes.own)
        thresholds, extended, counted = _extend(task, database, names, votes, model, own)
        covered, reached = (votes.own != ABSTAIN).any(axis=1), (counted != ABSTAIN).any(axis=1)
        predictions = pl.concat(
            prediction_rows(task, stage, votes.item_ids, probabilities, evidence)
            for stage, probabilities, evidence in zip(
                STAGES, (majority, own, extended), (covered, covered, reached), strict=True
            )
        )
        learned = pl.DataFrame(
            {"lf": names, "estimated_accuracy": model.accuracy_, "threshold": thresholds}
        )
        with database.write() as connection:
            put(connection, "label_model", learned)
            put(connection, "predictions", predictions, "stage <> ?", "end_model")
            for name in ("lf_votes", "lf_errors", "extended_votes", "extension"):
                connection.execute(f"DELETE FROM {name} WHERE NOT list_contains(?, lf)", [names])
        agreement = (majority.argmax(1) == own.argmax(1))[covered]
        return dg.MaterializeResult(
            data_version=data_version(np.round(extended, 6), np.round(own, 6), reached, learned),
            metadata={
                "dagster/row_count": len(votes.item_ids),
                "learned": table(learned),
                "class_balance": str(balance or "uniform"),
                "coverage": float(covered.mean()),
                "extended_coverage": float(reached.mean()),
                "agreement_with_majority": float(agreement.mean() if agreement.size else 1.0),
            },
        )

    return label_model


def _class_balance(task: Task, database: Database) -> list[float] | None:
    """The given shares, or those of the dev labels with one more item of each class."""
    setting = task.label_model.class_balance
    if setting == "uniform":
        return None
    if setting == "dev":
        gold = database.labels_by_row("dev")
        counts = np.bincount(gold[gold >= 0], minlength=task.n_classes) + 1.0
        return [float(share) for share in counts / counts.sum()]
    return setting


def _extend(
    task: Task,
    database: Database,
    names: list[str],
    votes: VoteMatrices,
    model: LabelModel,
    own: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Thresholds [m], posterior on extended votes [n, K], and the votes that count [n, m]."""
    reach = pl.DataFrame({"lf": names}).join(
        database.query("SELECT * FROM extension"), on="lf", maintain_order="left"
    )
    calibration = BorrowedVoteCalibration(task.n_classes, floor=float(reach["floor"].min()))  # type: ignore[arg-type]
    calibration.fit(own, votes.own, votes.extended, votes.similarity, model.accuracy_)
    hard = task.extension.weighting == "hard"
    label_free = calibration.thresholds(share=0.5) if hard else calibration.thresholds_
    given = reach["least_similarity"].to_numpy()
    thresholds = np.where(reach["origin"] == "auto", np.maximum(label_free, given), given)
    counts = (votes.own != ABSTAIN) | (votes.similarity >= thresholds)
    counted = np.where(counts, votes.extended, np.int8(ABSTAIN))
    if hard:
        return thresholds, model.predict_proba(counted), counted
    weights = calibration.weight(votes.similarity)
    return thresholds, extended_posterior(own, votes.own, counted, weights), counted
