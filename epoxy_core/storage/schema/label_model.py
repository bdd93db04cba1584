"""What the label model learned, and what was chosen by itself."""

from epoxy_core.storage.schema.shared import (
    CONFIDENCE,
    DEV_FIGURES,
    ESTIMATE,
    EVIDENCE,
    ITEM_ID,
    LABEL,
    LF,
    PROBABILITIES,
    STAGES,
)
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    Table(
        "label_model",
        "what the label model learned of each labeling function; after an edit under `epoxy watch` "
        "accuracies are null until they are estimated",
        (
            LF,
            *ESTIMATE,
            Column("threshold", "DOUBLE", "least similarity at which a borrowed vote counts"),
            Column("weight", "DOUBLE", "by how much its votes count, for others that vote alike"),
            Column("depends_on", "VARCHAR[]", "those others, the most alike first"),
        ),
    ),
    Table(
        "choices",
        "what was chosen by itself, among what, and why: one row per candidate",
        (
            Column("stage", "VARCHAR", "what was to be decided"),
            Column("candidate", "VARCHAR", "what could be taken"),
            Column("chosen", "BOOLEAN", "whether it was"),
            Column("measure", "VARCHAR", "what candidates were compared by; null: nothing"),
            Column("value", "DOUBLE", "the candidate's measure, higher is better"),
            Column("reason", "VARCHAR", "why the one that was chosen was"),
            Column("warning", "VARCHAR", "what a person should do something about"),
        ),
    ),
    Table(
        "lf_accuracy",
        "how right each labeling function is, by what it votes: estimated without labels, and on "
        "the dev labels; intervals are of 90 %",
        (
            LF,
            Column("class", "VARCHAR", "what it votes: a class, or `not` a class"),
            Column("n_votes", "BIGINT", "how often"),
            Column("estimate", "DOUBLE", "P(vote is true | this vote), without labels"),
            Column("low", "DOUBLE", "lower end of its interval"),
            Column("high", "DOUBLE", "upper end"),
            *DEV_FIGURES,
        ),
    ),
    Table(
        "predictions",
        "every stage's opinion of every item, side by side",
        (
            ITEM_ID,
            Column("stage", "VARCHAR", STAGES),
            LABEL,
            CONFIDENCE,
            PROBABILITIES,
        ),
    ),
    Table(
        "evidence",
        "what a vote adds to the log-probability of each class, by the current label model",
        EVIDENCE,
    ),
)
