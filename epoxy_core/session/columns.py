"""What a session holds of its labeling functions, and the votes that are made of that."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epoxy_core.combine import VoteColumns
from epoxy_core.label_model.in_order import ItemOrder
from epoxy_core.label_model.patterns import RowCodes
from epoxy_core.labeling import LabelingFunction, LFResult
from epoxy_core.lend import Lent


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


def vote_columns(
    columns: Sequence[Column], n: int, order: ItemOrder | None, codes: RowCodes
) -> VoteColumns:
    """All labeling functions' votes; ``codes`` as in `VoteColumns`."""
    lent = [column.lent.extended for column in columns]
    return VoteColumns(
        n,
        tuple(np.ascontiguousarray(column.result.votes) for column in columns),
        tuple(one.votes for one in lent),
        tuple(one.similarity for one in lent),
        tuple(one.strength for one in lent),
        tuple(column.lf.name for column in columns),
        order,
        codes,
    )
