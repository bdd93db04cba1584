"""What a session holds of its labeling functions, and the matrices made of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from epoxy_core.extension import ExtendedVotes
from epoxy_core.labeling import LabelingFunction, LFResult
from epoxy_core.lend import Lent

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Column:
    """What is held of one labeling function.

    Attributes
    ----------
    lf
        The function, as it was when it last voted.
    result
        Its votes and errors; votes only, if they come from storage.
    lent
        Its extended votes.
    setting
        The threshold setting they were made with.
    """

    lf: LabelingFunction
    result: LFResult
    lent: Lent
    setting: str | float


def matrix(
    columns: Sequence[npt.NDArray[Scalar]], n: int, dtype: type[Scalar]
) -> npt.NDArray[Scalar]:
    """One column per labeling function, [n, m]; there may be none."""
    return np.stack(columns, axis=1) if columns else np.empty((n, 0), dtype)


def strength_matrix(columns: Sequence[ExtendedVotes], n: int) -> npt.NDArray[np.float32] | None:
    """The LFs' own probabilities of their extended votes; None where no vote is soft."""
    if all(column.strength is None for column in columns):
        return None
    plain = np.ones(n, np.float32)
    found = [plain if column.strength is None else column.strength for column in columns]
    return matrix(found, n, np.float32)
