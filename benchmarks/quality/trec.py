"""TREC's test questions come with their answer: the name of the fine class as first word."""

from collections.abc import Sequence

# fmt: off
FINE_CLASSES = frozenset((
    "abb", "exp", "animal", "body", "color", "cremat", "currency", "dismed", "event", "food",
    "instru", "lang", "letter", "other", "plant", "product", "religion", "sport", "substance",
    "symbol", "techmeth", "termeq", "veh", "word", "def", "desc", "manner", "reason", "gr", "ind",
    "title", "city", "country", "mount", "state", "code", "count", "date", "dist", "money", "ord",
    "perc", "period", "speed", "temp", "volsize", "weight",
))
# fmt: on
"""Li & Roth 2002, the fine classes of TREC's questions; all but *other* are of one class."""


def names_fine_class(others: Sequence[str], test: Sequence[str]) -> bool:
    """Whether every test text begins with a fine class's name and hardly any other text does."""
    elsewhere = sum(text.split(" ", 1)[0] in FINE_CLASSES for text in others)
    return elsewhere < 0.1 * len(others) and all(
        " " in text and text.split(" ", 1)[0] in FINE_CLASSES for text in test
    )


def without_first_word(texts: Sequence[str]) -> list[str]:
    """Cut each text's first word and the blank after it."""
    return [text.split(" ", 1)[1] for text in texts]
