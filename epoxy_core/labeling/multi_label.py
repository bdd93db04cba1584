"""Votes where an item may have several classes: every class is a yes/no question of its own."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.votes import ABSTAIN, InvalidVoteError, Not, Soft

HAS, HAS_NOT = 1, 0
"""Votes on one class; `ABSTAIN` says nothing of it."""

Default = Literal["abstain", "deny"]


class Answers(NamedTuple):
    """Votes on every class.

    Attributes
    ----------
    votes
        int8 [n, m, K]: 1 = the item has the class, 0 = it has it not, −1 = abstain.
    strength
        float32 [n, m, K], the LF's own probability of each vote, 1 for a plain vote and an
        abstain; None where no vote is soft.
    """

    votes: npt.NDArray[np.int8]
    strength: npt.NDArray[np.float32] | None


class MultiLabelReader:
    """Reads what a labeling function says of an item that may have several classes.

    ``None`` and −1 abstain on every class. A class, ``Not(class)`` or ``Soft`` of either votes on
    that class; a list, tuple or set of them on several. ``{class: probability}`` votes on each
    class that it names, for it from 0.5 on, below against it; the probabilities are independent.

    Parameters
    ----------
    classes
        The K class names, in order.
    default
        What is said of classes that are not named where others are asserted: nothing
        (``abstain``), or that the item has them not (``deny``; so an empty list denies them all).
        A value that only denies leaves the others open in either case.
    """

    def __init__(self, classes: Sequence[str], default: Default = "abstain") -> None:
        if default not in ("abstain", "deny"):
            raise EpoxyError(
                f"no rule {default!r} for classes that are not named",
                where="multi-label votes",
                remedy="Choose abstain or deny.",
            )
        self.classes = list(classes)
        self.default = default
        self._positions = {name: index for index, name in enumerate(classes)}

    def read(self, value: Any) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """Read one returned value.

        Returns
        -------
        votes, strength
            int8 and float32 [K].

        Raises
        ------
        InvalidVoteError
            If it is none of these, names a class twice, or a probability is none.
        """
        votes = np.full(len(self.classes), ABSTAIN, np.int8)
        strength = np.ones(len(self.classes), np.float32)
        if value is None or (_is_whole(value) and value == ABSTAIN):
            return votes, strength
        for label, answer, claim in self._statements(value):
            position = self._position(label, value)
            if votes[position] != ABSTAIN:
                raise InvalidVoteError(
                    f"returned {value!r}: {self.classes[position]!r} is named twice"
                )
            votes[position], strength[position] = answer, claim
        nothing_named = bool((votes == ABSTAIN).all())
        if self.default == "deny" and (nothing_named or (votes == HAS).any()):
            votes[votes == ABSTAIN] = HAS_NOT
        return votes, strength

    def _statements(self, value: Any) -> Iterable[tuple[Any, int, float]]:
        """Class, answer and probability of everything said."""
        if isinstance(value, Mapping):
            for label, share in value.items():
                claim = _probability(share, value)
                yield label, *((HAS, claim) if claim >= 0.5 else (HAS_NOT, 1 - claim))
            return
        several = isinstance(value, list | tuple | set | frozenset)
        for one in value if several else [value]:
            vote, claim = one, 1.0
            if isinstance(one, Soft):
                vote, claim = one.vote, _probability(one.probability, value)
                if claim < 0.5:
                    opposite = vote.label if isinstance(vote, Not) else Not(vote)
                    raise InvalidVoteError(
                        f"returned {value!r}: the probability {claim:.4g} is below that of a "
                        f"guess, 0.5; write {Soft(opposite, round(1 - claim, 4))!r}"
                    )
            if isinstance(vote, Not):
                yield vote.label, HAS_NOT, claim
            else:
                yield vote, HAS, claim

    def _position(self, label: Any, value: Any) -> int:
        position = self._positions.get(label, ABSTAIN) if type(label) is str else label
        if not _is_whole(position) or not 0 <= position < len(self.classes):
            raise InvalidVoteError(
                f"returned {value!r} ({type(value).__name__}); allowed are the classes "
                f"{', '.join(map(repr, self.classes))}, their indices 0 to "
                f"{len(self.classes) - 1}, Not(class), Soft(vote, probability), a list of these, "
                "{class: probability}, and None or ABSTAIN (-1)"
            )
        return int(position)


def multi_label_votes(
    returned: Sequence[Sequence[Any]],
    classes: Sequence[str],
    default: Default | Sequence[Default] = "abstain",
) -> Answers:
    """Votes of m labeling functions, each on n items.

    Parameters
    ----------
    returned
        What each LF returned for each item: m sequences of n values, see `MultiLabelReader`.
    classes
        The K class names, in order.
    default
        Of all LFs, or one per LF.

    Raises
    ------
    EpoxyError
        If a value is no vote, or LFs returned different numbers of values.
    """
    defaults = [default] * len(returned) if isinstance(default, str) else list(default)
    n = len(returned[0]) if len(returned) else 0
    if len(defaults) != len(returned) or any(len(values) != n for values in returned):
        raise EpoxyError(
            f"{len(returned)} labeling functions, {len(defaults)} defaults and "
            f"{sorted({len(values) for values in returned})} values",
            where="multi-label votes",
            remedy="Give every labeling function as many values, and one default each.",
        )
    votes = np.full((n, len(returned), len(classes)), ABSTAIN, np.int8)
    strength = np.ones(votes.shape, np.float32)
    for lf, (values, rule) in enumerate(zip(returned, defaults, strict=True)):
        reader = MultiLabelReader(classes, rule)
        for row, value in enumerate(values):
            try:
                votes[row, lf], strength[row, lf] = reader.read(value)
            except InvalidVoteError as error:
                raise EpoxyError(
                    str(error),
                    where=f"item {row}, labeling function {lf}",
                    remedy="Return one of these.",
                ) from error
    return Answers(votes, strength if (strength != 1).any() else None)


def _probability(claim: Any, value: Any) -> float:
    number = isinstance(claim, int | float | np.integer | np.floating) and not isinstance(
        claim, bool
    )
    if not number or not 0 <= claim <= 1:
        raise InvalidVoteError(
            f"returned {value!r}: the probability {claim!r} is not a number from 0 to 1"
        )
    return float(claim)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
