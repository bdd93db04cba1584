"""What labeling functions say, and how far that is lent."""

from epoxy_core.storage.schema.shared import (
    DEV_FIGURES,
    ESTIMATE,
    EXTENDED_VOTE,
    ITEM_ID,
    LF,
    PROBABILITY,
    VOTE,
)
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    Table(
        "lf_votes",
        "one row per vote; an abstain has no row",
        (ITEM_ID, LF, VOTE, PROBABILITY),
    ),
    Table(
        "lf_errors",
        "the first items on which a labeling function raised",
        (
            LF,
            ITEM_ID,
            Column("error", "VARCHAR", "what it raised"),
            Column("n_errors", "BIGINT", "items it raised on, in all"),
        ),
    ),
    Table(
        "lf_voted",
        "what the stored votes of a labeling function were cast on",
        (
            LF,
            Column("code_version", "VARCHAR", "of the labeling function and of how it is run"),
            Column("items_version", "BIGINT", "as in `items_version`"),
            Column("digest", "VARCHAR", "hash of its rows of `lf_votes` and `lf_errors`"),
        ),
    ),
    Table(
        "extended_votes",
        "own and borrowed votes; whether a borrowed one counts is for `label_model.threshold`",
        EXTENDED_VOTE,
    ),
    Table(
        "extension",
        "how far each labeling function's votes were lent",
        (
            LF,
            Column("least_similarity", "DOUBLE", "no vote was borrowed from further away"),
            Column("origin", "VARCHAR", "given, dev, or auto: further cut by the label model"),
            Column("floor", "DOUBLE", "similarity that one random pair in a hundred exceeds"),
        ),
    ),
    Table(
        "lf_summary",
        "the LF table: shares are of all items",
        (
            LF,
            Column(
                "polarity", "VARCHAR[]", "classes it votes for, and `not` those it votes against"
            ),
            Column("coverage", "DOUBLE", "share it votes on"),
            Column("overlaps", "DOUBLE", "share on which another LF votes too"),
            Column("conflicts", "DOUBLE", "share on which no class satisfies it and another LF"),
            Column("extended_coverage", "DOUBLE", "share with an own or counted borrowed vote"),
            Column("threshold", "DOUBLE", "least similarity at which a borrowed vote counts"),
            *ESTIMATE,
            *DEV_FIGURES,
            Column("n_errors", "BIGINT", "items on which it raised"),
            Column("fingerprint", "VARCHAR", "code version"),
            Column("source", "VARCHAR", "file:line"),
        ),
    ),
)
