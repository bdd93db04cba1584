"""The DuckDB tables of a task: the one place where their columns are written down.

Every table is keyed by ``item_id``, labeling function or run, never by position. A class is stored
as its position in ``task.yaml`` where it is a vote (``TINYINT``) and by name where people read it.
A vote against the class at position c is stored as K + c.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and what it means."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table: what a row is, and its columns."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    open: bool = False
    """Whether the source may bring further columns."""

    @property
    def ddl(self) -> str:
        """``CREATE TABLE IF NOT EXISTS`` with comments on table and columns."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}); {self.comments}"

    @property
    def comments(self) -> str:
        """``COMMENT ON`` statements for the table and its columns."""
        quoted = [f"COMMENT ON TABLE {self.name} IS '{_escaped(self.meaning)}'"]
        quoted += [
            f"COMMENT ON COLUMN {self.name}.\"{column.name}\" IS '{_escaped(column.meaning)}'"
            for column in self.columns
        ]
        return "; ".join(quoted)


def _escaped(text: str) -> str:
    return text.replace("'", "''")


ITEM_ID = Column("item_id", "VARCHAR", "the item")
LF = Column("lf", "VARCHAR", "the labeling function")
LABEL = Column("label", "VARCHAR", "most probable class, by name")
CONFIDENCE = Column("confidence", "DOUBLE", "probability of that class")
PROBABILITIES = Column(
    "probabilities", "DOUBLE[]", "probability of every class, in the order of `classes`"
)
RUN_ID = Column("run_id", "VARCHAR", "the label run")
VOTE = Column(
    "vote", "TINYINT", "class voted for; K + a class (K: number of classes): any class but that"
)
PROBABILITY = Column(
    "probability", "FLOAT", "that the vote is right, by the labeling function itself; 1: plain vote"
)
STAGES = "majority_vote, label_model, extended_votes, refined or end_model"
WEIGHT = Column("weight", "DOUBLE", "how much the item counts in training")
SOURCE = Column(
    "source", "VARCHAR", "where the label is from: refined, label model, majority vote, hand label"
)
EXTENDED_VOTE = (
    ITEM_ID,
    LF,
    VOTE,
    PROBABILITY,
    Column("source_item_id", "VARCHAR", "whose vote it is; an own vote has itself"),
    Column("similarity", "FLOAT", "cosine to the source item; 1 for an own vote"),
)
EVIDENCE = (
    LF,
    Column("threshold", "DOUBLE", "least similarity at which a borrowed vote counts"),
    Column("own", "DOUBLE[]", "of an own vote: one row of classes for each value of `vote`"),
    Column("silence", "DOUBLE[]", "of abstaining, by class; zeros where that says nothing"),
    Column("grid", "DOUBLE[]", "similarities"),
    Column("log_odds", "DOUBLE[]", "of a vote for a class borrowed from there, on that class"),
)
ESTIMATE = (
    Column("estimated_accuracy", "DOUBLE", "P(vote is true | voted), without labels"),
    Column("accuracy_low", "DOUBLE", "lower end of its 90 % interval"),
    Column("accuracy_high", "DOUBLE", "upper end"),
)
DEV_FIGURES = (
    Column("dev_votes", "BIGINT", "votes on dev items"),
    Column("dev_accuracy", "DOUBLE", "share of them that are true"),
    Column("dev_low", "DOUBLE", "lower end of its 90 % interval"),
    Column("dev_high", "DOUBLE", "upper end"),
)

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
            Column("text", "VARCHAR", "what is labelled"),
            Column("content_hash", "VARCHAR", "blake2b-128 of the text: the key of its embedding"),
        ),
        open=True,
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
        "label_model",
        "what the label model learned of each labeling function",
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
        "labels",
        "the published probabilistic labels, of the items that own or borrow a vote",
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
            Column("run_id", "VARCHAR", "the label run that published it"),
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
        "one row per item whose label or probabilities a run changed: an item's label as of a run "
        "is in its last row until then",
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
            Column("confidence_before", "DOUBLE", "confidence of label_before"),
            Column("confidence_after", "DOUBLE", "confidence of label_after"),
            Column(
                "causes",
                "STRUCT(lf VARCHAR, contribution DOUBLE)[]",
                "what each labeling function did to the log-odds of the new label against the "
                "old one; most first, negative: against the change",
            ),
        ),
    ),
    Table(
        "evidence",
        "what a vote adds to the log-probability of each class, by the current label model",
        EVIDENCE,
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

BY_NAME = {table.name: table for table in TABLES}
