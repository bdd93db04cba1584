"""What is trained on, and how good everything is."""

from epoxy_core.storage.schema.shared import (
    CONFIDENCE,
    ITEM_ID,
    LABEL,
    PROBABILITIES,
    SOURCE,
    STAGES,
    WEIGHT,
)
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    Table(
        "refined_labels",
        "labels to train with; a hand label is certain",
        (ITEM_ID, LABEL, CONFIDENCE, PROBABILITIES, WEIGHT, SOURCE),
    ),
    Table(
        "training_set",
        "items to train on",
        (
            ITEM_ID,
            LABEL,
            CONFIDENCE,
            PROBABILITIES,
            WEIGHT,
            SOURCE,
            Column("split", "VARCHAR", "unlabeled or dev; test items are never trained on"),
            Column("cut_statistic", "DOUBLE", "standardised disagreement with neighbours"),
            Column("run_id", "VARCHAR", "the label run the labels come from"),
        ),
    ),
    Table(
        "evaluation",
        "every stage against the hand labels",
        (
            Column("stage", "VARCHAR", STAGES),
            Column("split", "VARCHAR", "dev or test"),
            Column(
                "metric",
                "VARCHAR",
                "accuracy, macro_f1, calibration_error (expected, of ten bins of items), f1, "
                "precision, recall, coverage",
            ),
            Column("class", "VARCHAR", "the class, for per-class metrics"),
            Column("value", "DOUBLE", "the score"),
            Column("n_items", "BIGINT", "items scored"),
        ),
    ),
)
