"""One LF's extended votes as its task asks for them: which threshold, then the extension."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from epoxy_core.extension import (
    ExtendedVotes,
    dev_threshold,
    extend_again,
    extend_some,
    extend_votes,
)
from epoxy_core.neighbors import NeighborGraph
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
    before: Lent | None = None,
    strength: npt.NDArray[np.float32] | None = None,
    typical: float | None = None,
) -> Lent:
    """Extend one labeling function.

    With a threshold that is given or from dev labels, as an exhaustive search would. Where it is
    to be found without labels, nobody but an item's neighbours lends to it if less similar than
    nearest neighbours usually are. So an item looks beyond them only where all of them are as
    similar, so that k of them may be too few: what lies farther away would mostly be cut off
    anyway, and searching for it is most of the work.

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
    before
        Its extended votes before an edit, made with the same setting, graph and labels.
    strength
        float32 [n], its own probabilities of its votes; None where no vote is soft.
    typical
        `typical_similarity`, if it is known.
    """
    setting = threshold_setting(task, lf)
    search_from = -1.0
    if setting == "auto":
        least, origin = floor, "auto"
        search_from = typical_similarity(graph) if typical is None else typical
    elif setting == "dev":
        candidates = extend_some(np.flatnonzero(gold >= 0), own, graph, embeddings, floor)
        least, origin = dev_threshold(candidates, gold, task.n_classes), "dev"
    else:
        least, origin = float(setting), "given"
    if before and before.least == least:
        again = extend_again(before.extended, own, graph, embeddings, least, search_from, strength)
        return Lent(again, least, origin)
    extended = extend_votes(own, graph, embeddings, least, search_from, strength)
    return Lent(extended, least, origin)


def typical_similarity(graph: NeighborGraph) -> float:
    """The median similarity of an item to its nearest neighbour; 1 without neighbours."""
    return float(np.median(graph.nearest)) if graph.nearest.size else 1.0


def threshold_setting(task: Task, lf: str) -> str | float:
    """The LF's own entry where thresholds are given per LF, else the common setting."""
    threshold = task.extension.threshold
    return threshold.get(lf, "auto") if isinstance(threshold, dict) else threshold
