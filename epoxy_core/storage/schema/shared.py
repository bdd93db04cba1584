"""Columns that several tables have."""

from epoxy_core.storage.schema.table import Column

ITEM_ID = Column("item_id", "VARCHAR", "the item")
LF = Column("lf", "VARCHAR", "the labeling function")
LABEL = Column("label", "VARCHAR", "most probable class, by name")
CONFIDENCE = Column("confidence", "FLOAT", "probability of that class")
PROBABILITIES = Column(
    "probabilities", "FLOAT[]", "probability of every class, in the order of `classes`"
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
