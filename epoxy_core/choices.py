"""What was chosen by itself, among what, and why: for the report and the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ENOUGH_GOLD = 50
"""Hand labels from which on it is they that decide."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision of ``auto``.

    Attributes
    ----------
    stage
        What was to be decided: ``label model``, ``abstention``, ``refinement``, …
    chosen
        The candidate taken.
    reason
        One sentence that a person who reads the report understands.
    measure
        What the candidates were compared by; empty where there was nothing to measure.
    scores
        The measure of every candidate, higher is better.
    warning
        What a person should do something about; empty if nothing.
    """

    stage: str
    chosen: str
    reason: str
    measure: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    warning: str = ""
