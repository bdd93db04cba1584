"""The ten heuristics of the benchmark, ready-made and as expressions; a task's file."""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, keywords, regex

good = keywords(
    "good",
    "positive",
    ["excellent", "superb", "wonderful", "perfect", "brilliant", "great", "amazing"],
)
bad = keywords(
    "bad", "negative", ["awful", "terrible", "worst", "boring", "waste", "bad", "horrible"]
)
loved = keywords("loved", "positive", ["love", "loved", "enjoyed", "favorite", "best"])
hated = keywords(
    "hated", "negative", ["hated", "dull", "annoying", "poor", "poorly", "stupid", "lame"]
)
denied = keywords("denied", "negative", ["no", "not", "nothing", "never"])
praised = regex(
    "praised",
    "positive",
    r"(?i)\b(?:very|well|really) (?:good|done|made|acted|written|enjoyable)\b",
)


@expression_labeling_function(vote="negative")
def asks() -> pl.Expr:
    """A question."""
    return pl.col("text").str.count_matches("?", literal=True) > 0


@expression_labeling_function(vote="positive")
def exclaims() -> pl.Expr:
    """An exclamation."""
    return pl.col("text").str.contains("!", literal=True)


@expression_labeling_function(vote="negative")
def instead() -> pl.Expr:
    """It should have been otherwise."""
    return pl.col("text").str.contains("at least|supposed to|instead of")


@expression_labeling_function(vote="positive")
def touching() -> pl.Expr:
    """It moved somebody."""
    return pl.col("text").str.contains("touching|moving|beautiful")
