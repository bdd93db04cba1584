"""What the label model is fed: votes, and how far they were lent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from epoxy_core.label_model.in_order import ItemOrder
from epoxy_core.label_model.patterns import RowCodes
from epoxy_core.label_model.unique_votes import UniqueVotes, unique_columns, unique_votes

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]
Similarity = npt.NDArray[np.float32]
Strength = npt.NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class VoteColumns:
    """Own and borrowed votes, labeling function by labeling function; not to be changed.

    Attributes
    ----------
    n
        Number of items.
    own, extended, similarity
        Of each LF, contiguous: int8, int8 and float32 [n], as in `VoteMatrices`.
    strength
        Of each LF float32 [n], as in `VoteMatrices`; None where no vote of its is soft.
    names, order
        As in `VoteMatrices`.
    codes
        Those of the same LFs' votes before an edit, brought up to date by ``unique``; None: there
        are none.
    """

    n: int
    own: tuple[Votes, ...]
    extended: tuple[Votes, ...]
    similarity: tuple[Similarity, ...]
    strength: tuple[Strength | None, ...]
    names: tuple[str, ...] = ()
    order: ItemOrder | None = None
    codes: RowCodes | None = None

    def columns(self) -> "VoteColumns":
        """These."""
        return self

    def unique(self, n_classes: int) -> UniqueVotes:
        """The distinct rows of own votes."""
        if not self.own:
            return unique_votes(np.empty((self.n, 0), np.int8), None, n_classes)
        claims = [
            None if claim is None else np.where(own >= 0, claim, np.float32(1))
            for own, claim in zip(self.own, self.strength, strict=True)
        ]
        return unique_columns(self.own, claims, n_classes, self.codes)

    def own_matrix(self) -> Votes:
        """int8 [n, m]."""
        return matrix(self.own, self.n, np.int8)

    def counted(self, thresholds: Floats) -> Votes:
        """int8 [n, m]: own votes, and borrowed ones at or above their LF's threshold."""
        result = np.full((self.n, len(self.own)), -1, np.int8, order="F")
        columns = zip(self.own, self.extended, self.similarity, thresholds, strict=True)
        for lf, (own, extended, similarity, least) in enumerate(columns):
            np.copyto(result[:, lf], extended, where=(own >= 0) | (similarity >= least))
        return result

    def strength_matrix(self) -> Strength | None:
        """float32 [n, m]; None where no vote is soft."""
        if all(column is None for column in self.strength):
            return None
        plain = np.ones(self.n, np.float32)
        found = [plain if column is None else column for column in self.strength]
        return matrix(found, self.n, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class VoteMatrices:
    """Own and borrowed votes of all labeling functions, one column each.

    Attributes
    ----------
    own
        int8 [n, m]: votes of the LFs themselves.
    extended
        int8 [n, m]: own votes, and candidates to borrow.
    similarity
        float32 [n, m]: of the item whose vote it is; 1 for an own vote, NaN for an abstain.
    strength
        float32 [n, m]: the LF's own probability of the extended votes, 1 for a plain vote and an
        abstain; None where no vote is soft.
    names
        The LFs' names; none needed where no setting or message names one.
    order
        Which items follow one another; None if that is not known.
    """

    own: Votes
    extended: Votes
    similarity: Similarity
    strength: Strength | None = None
    names: tuple[str, ...] = ()
    order: ItemOrder | None = None

    def columns(self) -> VoteColumns:
        """The same, LF by LF."""
        n, m = self.own.shape
        strength = m * (None,) if self.strength is None else _columns(self.strength)
        return VoteColumns(
            n,
            _columns(self.own),
            _columns(self.extended),
            _columns(self.similarity),
            strength,
            self.names,
            self.order,
        )

    def unique(self, n_classes: int) -> UniqueVotes:
        """The distinct rows of own votes, which are checked."""
        return unique_votes(self.own, self.strength, n_classes)


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far each LF's votes were lent.

    Attributes
    ----------
    least
        float64 [m]: no candidate is less similar than this.
    label_free
        bool [m]: whether the threshold is still to be found, from how borrowed votes agree.
    floor
        Similarity of unrelated items.
    """

    least: Floats
    label_free: npt.NDArray[np.bool_]
    floor: float


def matrix(
    columns: Sequence[npt.NDArray[Scalar]], n: int, dtype: type[Scalar]
) -> npt.NDArray[Scalar]:
    """One column per labeling function, [n, m], column by column in memory; there may be none."""
    return np.stack(columns).T if columns else np.empty((n, 0), dtype)


def _columns(of: npt.NDArray[Scalar]) -> tuple[npt.NDArray[Scalar], ...]:
    return tuple(np.ascontiguousarray(of.T))
