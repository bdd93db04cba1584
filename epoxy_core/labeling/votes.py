"""What a labeling function may say: a class, not a class, and how sure it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

ABSTAIN = -1

_SUM_TOLERANCE = 1e-3
ROUNDING = 1e-6
"""By how much a probability may be below that of a guess."""


@dataclass(frozen=True, slots=True)
class Not:
    """A negative vote: the item is of any class but this one.

    With two classes it is a vote for the other one, and stored as such.

    Parameters
    ----------
    label
        Name or index of the class.

    Examples
    --------
    >>> Not("spam")
    Not('spam')
    """

    label: str | int

    def __repr__(self) -> str:
        return f"Not({self.label!r})"


@dataclass(frozen=True, slots=True)
class Soft:
    """A vote with the labeling function's own probability that it is right.

    Parameters
    ----------
    vote
        Name or index of a class, or `Not` one.
    probability
        Above 0, at most 1; 1 is a plain vote. Below that of a guess (1/K for a class of K,
        (K−1)/K for `Not` one) it would say the opposite, which is an error.

    Examples
    --------
    >>> Soft("spam", 0.8)
    Soft('spam', 0.8)
    """

    vote: str | int | Not
    probability: float

    def __repr__(self) -> str:
        return f"Soft({self.vote!r}, {self.probability!r})"


Vote = str | int | Not
"""What a labeling function may be given as its one vote."""


class InvalidVoteError(ValueError):
    """A value that is no vote; the text says why, and what would be one."""


class Cast(NamedTuple):
    """A vote as it is stored.

    Attributes
    ----------
    symbol
        0 to K−1 for a class, K to 2K−1 for not the class ``symbol − K``, −1 for an abstain.
    probability
        The labeling function's own, 1 for a plain vote.
    """

    symbol: int
    probability: float = 1.0


class VoteReader:
    """Reads what labeling functions return and are given as their vote.

    Parameters
    ----------
    classes
        The K class names, in order.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        self._positions = {name: index for index, name in enumerate(classes)}

    def symbol(self, vote: Any) -> int | None:
        """Number of a class or of not a class; None for anything else, and for an abstain."""
        label = vote.label if isinstance(vote, Not) else vote
        if type(label) is str:
            position = self._positions.get(label, ABSTAIN)
        elif isinstance(label, int | np.integer) and not isinstance(label, bool | np.bool_):
            position = int(label)
        else:
            return None
        k = len(self.classes)
        if not 0 <= position < k:
            return None
        if not isinstance(vote, Not):
            return position
        return 1 - position if k == 2 else k + position

    def read(self, value: Any) -> Cast:
        """Read one returned value.

        Raises
        ------
        InvalidVoteError
            If it is neither a vote nor an abstain, or its probability is none.
        """
        if value is None:
            return Cast(ABSTAIN)
        if isinstance(value, Soft):
            return self._soft(value)
        if isinstance(value, Mapping):
            return self._of_mapping(value)
        symbol = self.symbol(value)
        if symbol is None:
            if self._is_abstain(value):
                return Cast(ABSTAIN)
            raise InvalidVoteError(self.no_vote(value))
        return Cast(symbol)

    def check(self, symbol: int, probability: Any) -> float:
        """Check the probability claimed for a symbol; give it.

        Raises
        ------
        InvalidVoteError
            If it is no number above 0 and at most 1, or below that of a guess.
        """
        claim = _number(probability)
        if claim is None or not 0 < claim <= 1:
            raise InvalidVoteError(
                f"the probability {probability!r} of {self.named(symbol)} is not a number above "
                "0 and at most 1"
            )
        k = len(self.classes)
        guess = (k - 1) / k if symbol >= k else 1 / k
        if claim < guess - ROUNDING:
            opposite = f"Soft({self._opposite(symbol)!r}, {1 - claim:.4g})"
            raise InvalidVoteError(
                f"the probability {claim:.4g} of {self.named(symbol)} is below that of a guess, "
                f"{guess:.4g}: that is a vote against it; write {opposite}"
            )
        return claim

    def named(self, symbol: int) -> str:
        """``'spam'``, or ``not 'spam'``."""
        k = len(self.classes)
        return f"not {self.classes[symbol - k]!r}" if symbol >= k else repr(self.classes[symbol])

    def no_vote(self, value: Any) -> str:
        """Say that a value is no vote, and what would be one."""
        return (
            f"returned {_shown(value)} ({type(value).__name__}); allowed are the classes "
            f"{', '.join(map(repr, self.classes))}, their indices 0 to {len(self.classes) - 1}, "
            "Not(class), Soft(vote, probability), {class: probability}, and None or ABSTAIN (-1)"
            f"{'; a bool is ambiguous' if isinstance(value, bool) else ''}"
        )

    def _soft(self, value: Soft) -> Cast:
        symbol = self.symbol(value.vote)
        if symbol is None:
            raise InvalidVoteError(self.no_vote(value))
        return Cast(symbol, self.check(symbol, value.probability))

    def _of_mapping(self, value: Mapping[Any, Any]) -> Cast:
        """The most probable class, the first of several, and its probability."""
        shares = [0.0] * len(self.classes)
        for label, share in value.items():
            position, number = self.symbol(label), _number(share)
            if position is None or isinstance(label, Not):
                raise InvalidVoteError(self.no_vote(value))
            if number is None or not 0 <= number <= 1:
                raise InvalidVoteError(
                    f"returned {_shown(value)}: the probability {share!r} of {label!r} is not a "
                    "number from 0 to 1"
                )
            shares[position] += number
        total = sum(shares)
        if abs(total - 1) > _SUM_TOLERANCE:
            raise InvalidVoteError(
                f"returned {_shown(value)}: the probabilities sum to {total:.4g}, not to 1; a "
                "class that is left out has none"
            )
        top = max(shares)
        return Cast(shares.index(top), min(top / total, 1.0))

    def _opposite(self, symbol: int) -> Vote:
        k = len(self.classes)
        if symbol >= k:
            return self.classes[symbol - k]
        return self.classes[1 - symbol] if k == 2 else Not(self.classes[symbol])

    def _is_abstain(self, value: Any) -> bool:
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
        return whole and int(value) == ABSTAIN


def _number(value: Any) -> float | None:
    """A finite or infinite number that is no bool."""
    is_number = isinstance(value, Real | np.floating) and not isinstance(value, bool | np.bool_)
    return float(value) if is_number else None


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
