"""One LF's extended votes as its task asks for them: which threshold, then the extension."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension import ExtendedVotes, NeighborGraph, dev_threshold, extend_votes
from epoxy_core.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Lent:
    """One LF's extended votes.

    Attributes
    ----------
    extended
        Own votes and candidates to borrow.
    least
        No candidate is less similar than this.
    origin
        ``given`` or ``dev``: then every candidate counts. ``auto``: the label model decides.
    """

    extended: ExtendedVotes
    least: float
    origin: str


def extend(
    task: Task,
    lf: str,
    own: npt.NDArray[np.int8],
    graph: NeighborGraph,
    embeddings: npt.NDArray[np.float32],
    gold: npt.NDArray[np.int8],
    floor: float,
) -> Lent:
    """Extend one labeling function.

    Parameters
    ----------
    task
        Whose ``extension.threshold`` counts.
    lf
        The labeling function's name.
    own
        int8 [n], its votes.
    graph, embeddings
        Neighbour graph and float32 [n, d] unit vectors of all items.
    gold
        int8 [n], dev labels, −1 elsewhere.
    floor
        Similarity of unrelated items: the lowest worth keeping where the threshold is not given.
    """
    setting = threshold_setting(task, lf)
    if setting == "auto":
        return Lent(extend_votes(own, graph, embeddings, floor), floor, setting)
    if setting == "dev":
        candidates = extend_votes(own, graph, embeddings, floor)
        least = dev_threshold(candidates, gold, task.n_classes)
        return Lent(extend_votes(own, graph, embeddings, least), least, setting)
    least = float(setting)
    return Lent(extend_votes(own, graph, embeddings, least), least, "given")


def threshold_setting(task: Task, lf: str) -> str | float:
    """The LF's own entry where thresholds are given per LF, else the common setting."""
    threshold = task.extension.threshold
    return threshold.get(lf, "auto") if isinstance(threshold, dict) else threshold
