"""Heuristics for SMS spam, written from the dev split alone. Class names: ham, spam.

Two more are in task.yaml. Every form a labeling function can take is here once.
"""

import re

import polars as pl

from epoxy_core.labeling import (
    expression_labeling_function,
    keywords,
    labeling_function,
    length,
    lookup,
    regex,
)

TEXT = pl.col("text")

CLAIMS = re.compile(r"\b(?:claim|won|winner|prize|reward|award|guaranteed|voucher)", re.IGNORECASE)
CALL_OR_TEXT = re.compile(r"\b(?:call|txt|text|send|reply)\b", re.IGNORECASE)
NUMBER = re.compile(r"\d{4,}")
LOWER_I = re.compile(r"(?:^|\s)i(?:'m|'ll|m|ll)?\s")

# Ready-made heuristics. ---------------------------------------------------------------------

# Spam is paid by premium numbers: 11 digits from 08 or 09.
premium_number = regex("premium_number", "spam", r"\b0[89]\d{8,9}\b")

# Prices and prizes come with a pound sign; friends name sums in words or in dollars.
pounds = regex("pounds", "spam", r"£\s?\d")

# Announcing a prize takes at least two of these words.
prize_words = keywords(
    "prize_words",
    "spam",
    ["won", "winner", "prize", "claim", "urgent", "guaranteed", "cash", "award", "congrats"],
    at_least=2,
)

# Texting slang and Singlish particles that no advertiser writes.
chat_slang = lookup("chat_slang", "ham", file="chat_slang.csv")

# An advertisement needs room for the offer, the number and the terms.
very_short = length("very_short", "ham", max=40)


# Polars expressions: the whole corpus in one query. -------------------------------------------


@expression_labeling_function(vote="spam")
def many_digits() -> pl.Expr:
    """Numbers to call, codes and prices: more than 12 % of the characters are digits."""
    return (TEXT.str.count_matches(r"\d") > 0.12 * TEXT.str.len_chars()) & (
        TEXT.str.len_chars() > 60
    )


@expression_labeling_function(vote="ham")
def no_digits_no_capitals_run() -> pl.Expr:
    """People chat without digits, links, sums or shouted words."""
    return ~TEXT.str.contains(r"\d|www|http|[£$%]|[A-Z]{3,}") & (TEXT.str.len_chars() < 100)


@expression_labeling_function
def capitals() -> pl.Expr:
    """Shouted words beside digits sell; a text all in capitals is a friend with caps lock."""
    words = TEXT.str.count_matches(r"\b[A-Z]{3,}\b")
    share = TEXT.str.count_matches("[A-Z]") / TEXT.str.count_matches("[A-Za-z]")
    shouted = (words >= 2) & (share < 0.5) & TEXT.str.contains(r"\d{4}")
    return pl.when(shouted).then(pl.lit("spam")).when(share > 0.8).then(pl.lit("ham"))


# Python, item by item. ------------------------------------------------------------------------


@labeling_function
def claim_by_phone(x):
    """A prize is claimed by calling or texting a number."""
    if CLAIMS.search(x.text) and CALL_OR_TEXT.search(x.text) and NUMBER.search(x.text):
        return "spam"
    return None


@labeling_function
def unpunctuated_i(x):
    """Advertisers say "you"; only a person says a lower-case "i" of themselves."""
    return "ham" if LOWER_I.search(x.text) and not NUMBER.search(x.text) else None


@labeling_function
def asks_back(x):
    """A short question without digits waits for an answer, not for a call."""
    text = x.text.rstrip()
    if text.endswith("?") and len(text) < 120 and not any(c.isdigit() for c in text):
        return "ham"
    return None


@labeling_function
def sends_you_elsewhere(x):
    """A link, or the small print that goes with one: terms, opt-out, price per minute."""
    text = x.text.lower()
    hints = ("www.", "t&c", "t &c", "t cs", "ppm", "/min", "per minute", "optout", "po box")
    return "spam" if any(hint in text for hint in hints) else None


@labeling_function
def sorry_or_later(x):
    """Apologies, promises and good wishes are personal."""
    text = x.text.lower()
    words = ("sorry", "love", "miss", "good morning", "good night", "goodnight", "thanx")
    return "ham" if any(w in text for w in words) and not NUMBER.search(text) else None
