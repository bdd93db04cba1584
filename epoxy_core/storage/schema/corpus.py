"""What is labelled, and by hand."""

from epoxy_core.storage.schema.shared import ITEM_ID
from epoxy_core.storage.schema.table import Column, Table

TABLES = (
    Table(
        "classes",
        "the classes of the task",
        (
            Column("class", "TINYINT", "position: what a vote says"),
            Column("name", "VARCHAR", "the class"),
        ),
    ),
    Table(
        "items",
        "one row per thing to label, with every other column of the source",
        (
            ITEM_ID,
            Column("split", "VARCHAR", "unlabeled, dev or test"),
            Column("text", "VARCHAR", "what is labelled; of a stretch of video its captions"),
            Column("content_hash", "VARCHAR", "blake2b-128 of text or frames: the embedding's key"),
        ),
        open=True,
    ),
    Table(
        "item_versions",
        "since when each item is as it is: labeling functions vote on newer ones only",
        (
            ITEM_ID,
            Column("version", "BIGINT", "of `items` when the item was new or last changed"),
        ),
    ),
    Table(
        "items_version",
        "how often `items` changed, in one row",
        (Column("version", "BIGINT", "one more at each change"),),
    ),
    Table(
        "videos",
        "one row per file of a video task, of text tasks none",
        (
            Column("video", "VARCHAR", "path of the file, relative to the task folder"),
            Column("digest", "VARCHAR", "blake2b-128 of the file"),
            Column("duration", "DOUBLE", "seconds"),
            Column("width", "BIGINT", "pixels, upright"),
            Column("height", "BIGINT", "pixels, upright"),
            Column("fps", "DOUBLE", "frames per second, on average"),
            Column("codec", "VARCHAR", "how it is encoded; null: nothing of it can be decoded"),
            Column("rotation", "BIGINT", "degrees that a player turns it by"),
            Column("items", "BIGINT", "items it gives"),
            Column("problem", "VARCHAR", "what is wrong with it; null: nothing"),
        ),
    ),
    Table(
        "dev_labels",
        "hand labels for thresholds, checks and the LF table",
        (ITEM_ID, Column("label", "TINYINT", "gold class")),
    ),
    Table(
        "test_labels",
        "hand labels held out: read by the evaluation and nothing else",
        (ITEM_ID, Column("label", "TINYINT", "gold class")),
    ),
)
