"""``end_model``: a linear head on the embeddings, trained on the training set."""

import dagster as dg
import numpy as np

from assets.encoder import encoder_of
from assets.keys import TRAINING, key, placed, pool
from assets.predictions import prediction_rows
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.end_model import LinearHead
from epoxy_core.settings import EndModel
from epoxy_core.task import Task


def end_model_asset(task: Task, settings: EndModel) -> dg.AssetsDefinition:
    """Train, save, and predict every item."""
    encoder = encoder_of(task).fingerprint

    @dg.asset(
        key=key(task, "end_model"),
        deps=[key(task, "training_set"), key(task, "embeddings")],
        description="Multinomial logistic regression on the embeddings; also predicts the items "
        "no labeling function reaches.",
        code_version=code_version(
            __file__, "end_model/linear.py", settings=[encoder, settings, task.classes]
        ),
        pool=pool(task),
        **placed(task, TRAINING, "scikitlearn", "duckdb"),
    )
    def end_model(store: Store) -> dg.MaterializeResult:
        database = store.database(task)
        rows = database.query(
            "SELECT i.item_id, i.content_hash, t.probabilities FROM items i"
            " LEFT JOIN training_set t USING (item_id) ORDER BY i.item_id"
        )
        embeddings = store.embeddings(task).load(rows["content_hash"].to_list())
        train = rows["probabilities"].is_not_null()
        targets = np.array(rows["probabilities"].filter(train).to_list(), dtype=np.float64)
        head = LinearHead(task.n_classes, l2=settings.l2, labels=settings.labels)
        head.fit(embeddings[train.to_numpy()], targets)
        probabilities = head.predict_proba(embeddings)
        file = store.paths.end_model(task.name)
        head.save(file, classes=task.classes, encoder=encoder)
        predictions = prediction_rows(task, "end_model", rows["item_id"], probabilities)
        database.replace("predictions", predictions, "stage = ?", "end_model")
        return dg.MaterializeResult(
            data_version=data_version(np.round(probabilities, 6)),
            metadata={
                "dagster/row_count": rows.height,
                "training_items": int(train.sum()),
                "saved_to": dg.MetadataValue.path(str(file)),
            },
        )

    return end_model
