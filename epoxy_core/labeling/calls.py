"""Calls of labeling functions of one item on some rows, and what they return, read as votes."""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.labeling.item_view import Columns, ItemViews
from epoxy_core.labeling.result import MAX_ERRORS, described
from epoxy_core.labeling.votes import ABSTAIN, InvalidVoteError, VoteReader

_INVALID = -2
_PLAIN = {type(None), str, int}


class Answers(NamedTuple):
    """What one labeling function said of consecutive rows.

    Attributes
    ----------
    votes
        int8 [rows].
    strength
        float32 [rows]; None where no vote is soft.
    errors
        The first ones: row, counted from the first of these rows, and text.
    n_errors
        How many rows have one.
    """

    votes: npt.NDArray[np.int8]
    strength: npt.NDArray[np.float32] | None
    errors: list[tuple[int, str]]
    n_errors: int


class Caller:
    """Calls labeling functions on the rows of one table.

    Parameters
    ----------
    names
        Its columns.
    load
        Gives the rows of a column: name, first row, number of rows.
    classes
        Class names in order.
    """

    def __init__(
        self,
        names: Sequence[str],
        load: Callable[[str, int, int], pl.Series],
        classes: Sequence[str],
    ) -> None:
        self._names = names
        self._load = load
        self._views = ItemViews(names)
        self._reader = VoteReader(classes)
        positions = {name: position for position, name in enumerate(classes)}
        indices = {index: index for index in range(ABSTAIN, len(classes))}
        self._codes: dict[Any, int] = {None: ABSTAIN, **indices, **positions}
        self._read: set[str] = set()

    def call(self, functions: Sequence[Callable[[Any], Any]], first: int, n: int) -> list[Answers]:
        """Call every function on n rows from ``first``; columns are made when they are read."""
        columns = Columns(self._names, lambda name: self._load(name, first, n))
        items: list[Any] = []
        answers = []
        for function in functions:
            if not items or columns.nested:  # what a function does to a list is its own affair
                if columns.nested:
                    columns = Columns(self._names, lambda name: self._load(name, first, n))
                items = self._views.views(columns, n, self._read)
            answers.append(self._answers(function, items))
            self._read |= columns.keys()
        return answers

    def _answers(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Answers:
        returned: list[Any] = []
        add = returned.append
        raised: dict[int, str] = {}
        left = iter(items)
        while True:
            try:
                for item in left:
                    add(function(item))
                break
            except (Exception, SystemExit) as error:
                raised[len(returned)] = described(error) if len(raised) < MAX_ERRORS else ""
                add(None)
        return self._read_votes(returned, raised)

    def _read_votes(self, returned: list[Any], raised: dict[int, str]) -> Answers:
        codes, n = self._codes, len(returned)
        invalid: dict[int, str] = {}
        strength = None
        if set(map(type, returned)) <= _PLAIN:
            votes = np.fromiter(map(codes.get, returned, repeat(_INVALID)), np.int8, n)
            for row in np.flatnonzero(votes == _INVALID).tolist():
                text = len(invalid) < MAX_ERRORS
                invalid[row] = self._reader.no_vote(returned[row]) if text else ""
            votes[list(invalid)] = ABSTAIN
        else:
            votes, strength = np.full(n, ABSTAIN, np.int8), np.ones(n, np.float32)
            for row, vote in enumerate(returned):
                code = codes.get(vote) if type(vote) in _PLAIN else None
                if code is not None:
                    votes[row] = code
                    continue
                try:
                    votes[row], strength[row] = self._reader.read(vote)
                except InvalidVoteError as error:
                    invalid[row] = str(error)
            if (strength == 1).all():
                strength = None
        found = sorted((raised | invalid).items())
        return Answers(votes, strength, found[:MAX_ERRORS], len(found))
