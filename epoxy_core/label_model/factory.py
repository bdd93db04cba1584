"""Label models by the name that ``task.yaml`` gives them."""

from collections.abc import Callable, Sequence

from epoxy_core.errors import EpoxyError
from epoxy_core.label_model.base import LabelModel, class_prior
from epoxy_core.label_model.choose import ChosenLabelModel
from epoxy_core.label_model.dawid_skene import DawidSkene
from epoxy_core.label_model.majority_vote import MajorityVote
from epoxy_core.label_model.triplets import Triplets

_METHODS: dict[str, Callable[[int, Sequence[float] | None], LabelModel]] = {
    "auto": ChosenLabelModel,
    "majority_vote": MajorityVote,
    "triplets": Triplets,
    "dawid_skene": DawidSkene,
}


def make_label_model(
    method: str, n_classes: int, class_balance: Sequence[float] | None = None
) -> LabelModel:
    """Make a label model with its default settings.

    Parameters
    ----------
    method
        ``majority_vote``, ``triplets``, ``dawid_skene``, or ``auto`` for a choice of them.
    n_classes
        K, at least 2.
    class_balance
        The classes' shares, [K]; uniform when none is given.

    Raises
    ------
    EpoxyError
        If there is no such method, or the class balance does not fit the classes.
    """
    if method not in _METHODS:
        raise EpoxyError(
            f"no label model {method!r}",
            where="label_model.method",
            remedy=f"Choose one of {', '.join(_METHODS)}.",
        )
    class_prior(n_classes, class_balance)
    return _METHODS[method](n_classes, class_balance)
