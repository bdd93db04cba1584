"""What the label model's settings in ``task.yaml`` come to."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from epoxy_core.choices import ENOUGH_GOLD, Choice
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import ChosenLabelModel
from epoxy_core.label_model.dependencies import Dependencies
from epoxy_core.task import TASK_FILE, Task


def class_balance(
    task: Task, gold: npt.NDArray[np.int8], judges: npt.NDArray[np.int8]
) -> list[float] | None:
    """The classes' shares, where they are set or there are dev labels enough; else None.

    The dev labels' shares are those with one more item of each class: the mean of a posterior
    from a uniform Dirichlet prior.

    Parameters
    ----------
    task
        Whose ``label_model.class_balance`` counts.
    gold
        int8 [n], −1 where an item is not in the dev split.
    judges
        int8 [n], those of them that are worth one each: `ItemOrder.one_per_stretch`.
    """
    setting = task.label_model.class_balance
    if isinstance(setting, list):
        return setting
    known = gold[gold >= 0]
    if setting == "dev" or (setting == "auto" and np.count_nonzero(judges >= 0) >= ENOUGH_GOLD):
        counts = np.bincount(known, minlength=task.n_classes) + 1.0
        return [float(share) for share in counts / counts.sum()]
    return [1 / task.n_classes] * task.n_classes if setting == "uniform" else None


def balance_choice(
    task: Task,
    gold: npt.NDArray[np.int8],
    judges: npt.NDArray[np.int8],
    model: ChosenLabelModel,
) -> list[Choice]:
    """Why the class balance is what it is, if that was left to us; see `class_balance`."""
    if task.label_model.class_balance != "auto":
        return []
    n, stretches = int((gold >= 0).sum()), int((judges >= 0).sum())
    known = f"{n} dev labels" + (f" of {stretches} stretches" if stretches < n else "")
    if stretches >= ENOUGH_GOLD:
        chosen, reason = "dev", f"There are {known}."
    elif model.class_balance_ is not None:
        chosen, reason = "learned", model.balance_reason_
    else:
        chosen, reason = "uniform", f"{known} are too few, and votes alone do not tell it."
    if model.class_balance_ is not None:
        shares = zip(task.classes, model.class_balance_, strict=True)
        reason += " " + ", ".join(f"{name} {share:.0%}" for name, share in shares) + "."
    return [Choice("class balance", chosen, reason)]


def dependency_pairs(task: Task, names: Sequence[str]) -> Dependencies:
    """Pairs of columns for the pairs of names in the task's settings.

    Raises
    ------
    EpoxyError
        If one is no labeling function of the task, or a pair names one twice.
    """
    setting = task.label_model.dependencies
    if setting == "auto":
        return "auto"
    if setting == "none":
        return None
    column = {name: lf for lf, name in enumerate(names)}
    for pair in setting:
        wrong = next((name for name in pair if name not in column), None)
        if wrong is not None or pair[0] == pair[1]:
            problem = (
                f"{wrong!r} is no labeling function" if wrong else f"{pair[0]!r} is there twice"
            )
            raise EpoxyError(
                problem,
                where=f"{task.folder / TASK_FILE}: label_model.dependencies",
                remedy="Name pairs of labeling functions of this task.",
            )
    return [(column[one], column[other]) for one, other in setting]
