"""What was published, run by run, and what it was made from."""

from epoxy_core.storage.schema.shared import (
    CONFIDENCE,
    EVIDENCE,
    EXTENDED_VOTE,
    ITEM_ID,
    LABEL,
    LF,
    PROBABILITIES,
    RUN_ID,
)
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    Table(
        "labels",
        "the published probabilistic labels, of the items that own or borrow a vote; probabilities "
        "to two decimals, each rounded for itself; `predictions` has them all",
        (
            ITEM_ID,
            LABEL,
            CONFIDENCE,
            PROBABILITIES,
            Column(
                "votes",
                "VARCHAR",
                "own; borrowed where no labeling function voted; sequence where only items before "
                "or after it have votes",
            ),
            Column("run_id", "VARCHAR", "the label run that last changed this row"),
        ),
    ),
    Table(
        "label_runs",
        "one row per publication of labels, and all that they depend on",
        (
            RUN_ID,
            Column("created_at", "TIMESTAMPTZ", "when; every run is later than the one before"),
            Column("dagster_run_id", "VARCHAR", "the Dagster run"),
            Column("lf_fingerprints", "JSON", "code version of every labeling function"),
            Column("thresholds", "JSON", "threshold of every labeling function"),
            Column("embedding", "VARCHAR", "fingerprint of the embedding model"),
            Column("settings", "JSON", "the task's settings"),
            Column("data_versions", "JSON", "data versions of items, embeddings and votes"),
            Column("n_items", "BIGINT", "items"),
            Column("n_labeled", "BIGINT", "items with a label"),
            Column("n_changed", "BIGINT", "labels new, gone or flipped since the previous run"),
            Column("n_flipped", "BIGINT", "labels that are another than in the previous run"),
            Column("compared_with", "VARCHAR", "the last accepted run before; null: none"),
            Column("share_flipped", "DOUBLE", "of the labels of both, those that are another"),
            Column("accepted", "BOOLEAN", "whether what depends on labels may follow"),
        ),
    ),
    Table(
        "label_history",
        "one row per item whose row in `labels` a run changed: an item's label as of a run is in "
        "its last row until then",
        (
            ITEM_ID,
            RUN_ID,
            Column("label", "VARCHAR", "most probable class, by name; null: it lost its label"),
            CONFIDENCE,
            PROBABILITIES,
        ),
    ),
    Table(
        "label_changes",
        "what each label run changed",
        (
            RUN_ID,
            ITEM_ID,
            Column("label_before", "VARCHAR", "null: it had none"),
            Column("label_after", "VARCHAR", "null: it has none"),
            Column("confidence_before", "FLOAT", "confidence of label_before"),
            Column("confidence_after", "FLOAT", "confidence of label_after"),
            Column(
                "causes",
                "STRUCT(lf VARCHAR, contribution FLOAT)[]",
                "what each labeling function did to the log-odds of the new label against the "
                "old one; most first, negative: against the change",
            ),
        ),
    ),
    Table(
        "label_run_evidence",
        "the same for the last label run: what the causes of the next one's changes are found from",
        (RUN_ID, *EVIDENCE),
    ),
    Table(
        "superseded",
        "labeling functions whose extended votes were replaced since the last label run",
        (LF,),
    ),
    Table(
        "superseded_votes",
        "their extended votes as of the last label run",
        EXTENDED_VOTE,
    ),
)
