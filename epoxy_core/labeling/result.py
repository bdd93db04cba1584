"""What running a labeling function gives: votes, and an account of every error."""

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling.votes import ABSTAIN

MAX_ERRORS = 10


class LFError(NamedTuple):
    """One error of a labeling function; without an item, of a whole expression."""

    item_id: str | None
    error: str


@dataclass(frozen=True)
class LFResult:
    """Votes of one labeling function.

    Parameters
    ----------
    votes
        int8 [n], a class, K + a class for a vote against it, or −1 = abstain; an item with an
        error abstains.
    errors
        The first errors, at most ten.
    n_errors
        Number of items with an error.
    strength
        float32 [n], the probability that the LF itself gives each vote, 1 for a plain vote and
        an abstain; None where no vote is soft.
    """

    votes: npt.NDArray[np.int8]
    errors: list[LFError] = field(default_factory=list)
    n_errors: int = 0
    strength: npt.NDArray[np.float32] | None = None

    @property
    def error_share(self) -> float:
        """Share of the items with an error; 0 without items."""
        return self.n_errors / len(self.votes) if len(self.votes) else 0.0

    def same_votes(self, other: "LFResult") -> bool:
        """Whether votes and probabilities are the same."""
        if (self.strength is None) != (other.strength is None):
            return False
        same_strength = self.strength is None or np.array_equal(self.strength, other.strength)  # type: ignore[arg-type]
        return same_strength and np.array_equal(self.votes, other.votes)

    def describe_errors(self) -> str:
        """Say on how many items it fails, and show the first error."""
        first = self.errors[0]
        item = "" if first.item_id is None else f", first on {first.item_id!r}"
        return f"fails on {self.n_errors} of {len(self.votes)} items{item}: {first.error}"


def result_of(
    votes: npt.NDArray[np.int8],
    strength: npt.NDArray[np.float32],
    errors: list[LFError],
    n_errors: int,
) -> LFResult:
    """A result whose strength is None if no vote is soft.

    Parameters
    ----------
    votes, strength
        int8 and float32 [n].
    errors, n_errors
        As in `LFResult`.
    """
    soft = bool((strength != 1).any())
    return LFResult(votes, errors, n_errors, strength if soft else None)


def failed(items: pl.DataFrame, text: str) -> LFResult:
    """An error of every item."""
    votes = np.full(items.height, ABSTAIN, np.int8)
    return LFResult(votes, [LFError(None, text)], n_errors=items.height)


def described(error: BaseException) -> str:
    """Describe an error and where it was raised, with a hint for Polars' texts that are columns.

    What is written for users stays as it is.
    """
    if isinstance(error, EpoxyError):
        return " ".join(str(error).split())
    text = " ".join(str(error).partition("\n\n")[0].split())[:300]
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).parent)
    inner = next((one for one in reversed(frames) if not one.filename.startswith(here)), None)
    if isinstance(error, pl.exceptions.PolarsError):
        hint = isinstance(error, pl.exceptions.ColumnNotFoundError)
        text += "; a text constant is pl.lit('…')" if hint else ""
        inner = None
    return f"{type(error).__name__}: {text}{f' ({inner.filename}:{inner.lineno})' if inner else ''}"
