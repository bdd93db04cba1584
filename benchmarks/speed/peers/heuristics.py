"""The ten heuristics of the benchmark as functions of one item: 0 negative, 1 positive.

They vote as those of ``benchmarks/speed/heuristics.py`` do.
"""

import re
from collections.abc import Callable
from typing import Any

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1

GOOD = re.compile(r"\b(?:excellent|superb|wonderful|perfect|brilliant|great|amazing)\b", re.I)
BAD = re.compile(r"\b(?:awful|terrible|worst|boring|waste|bad|horrible)\b", re.I)
LOVED = re.compile(r"\b(?:love|loved|enjoyed|favorite|best)\b", re.I)
HATED = re.compile(r"\b(?:hated|dull|annoying|poor|poorly|stupid|lame)\b", re.I)
DENIED = re.compile(r"\b(?:no|not|nothing|never)\b", re.I)
PRAISED = re.compile(r"\b(?:very|well|really) (?:good|done|made|acted|written|enjoyable)\b", re.I)
INSTEAD = ("at least", "supposed to", "instead of")
TOUCHING = ("touching", "moving", "beautiful")


def good(x: Any) -> int:
    """Words of praise."""
    return POSITIVE if GOOD.search(x.text) else ABSTAIN


def bad(x: Any) -> int:
    """Words of blame."""
    return NEGATIVE if BAD.search(x.text) else ABSTAIN


def loved(x: Any) -> int:
    """Words of pleasure."""
    return POSITIVE if LOVED.search(x.text) else ABSTAIN


def hated(x: Any) -> int:
    """Words of displeasure."""
    return NEGATIVE if HATED.search(x.text) else ABSTAIN


def denied(x: Any) -> int:
    """Something is not."""
    return NEGATIVE if DENIED.search(x.text) else ABSTAIN


def praised(x: Any) -> int:
    """Well done."""
    return POSITIVE if PRAISED.search(x.text) else ABSTAIN


def asks(x: Any) -> int:
    """A question."""
    return NEGATIVE if x.text.count("?") > 0 else ABSTAIN


def exclaims(x: Any) -> int:
    """An exclamation."""
    return POSITIVE if "!" in x.text else ABSTAIN


def instead(x: Any) -> int:
    """It should have been otherwise."""
    return NEGATIVE if any(phrase in x.text for phrase in INSTEAD) else ABSTAIN


def touching(x: Any) -> int:
    """It moved somebody."""
    return POSITIVE if any(word in x.text for word in TOUCHING) else ABSTAIN


HEURISTICS: tuple[Callable[[Any], int], ...] = (
    good,
    bad,
    loved,
    hated,
    denied,
    praised,
    asks,
    exclaims,
    instead,
    touching,
)
