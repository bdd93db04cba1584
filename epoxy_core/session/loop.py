"""The warm relabeling loop: a task in memory, brought up to date at every edit of a heuristic."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.combine import Combined, Reach, combine
from epoxy_core.combine.votes import matrix
from epoxy_core.item_order import item_order
from epoxy_core.label_model.patterns import RowCodes
from epoxy_core.labeling import (
    LabelingFunction,
    LFResult,
    QueryEncoder,
    VectorSpace,
    apply_labeling_function,
)
from epoxy_core.lend import Lent, extend, threshold_setting, typical_similarity
from epoxy_core.lf_accuracy import LFAccuracy, lf_accuracy
from epoxy_core.lf_table import lf_rows, with_estimates
from epoxy_core.neighbors import NeighborGraph, random_similarity
from epoxy_core.session.columns import Column, vote_columns
from epoxy_core.session.update import Clock, Update
from epoxy_core.task import Task


class Session:
    """A task held in memory: items, vectors, graph, and every LF's votes, own and borrowed.

    Parameters
    ----------
    items
        The items frame, by ascending id.
    embeddings
        float32 [n, d], unit vectors of the items.
    graph
        Their neighbour graph.
    gold
        int8 [n], dev labels, −1 elsewhere.
    encoder
        Encodes what vector labeling functions compare items with; None if none has to.
    """

    def __init__(
        self,
        items: pl.DataFrame,
        embeddings: npt.NDArray[np.float32],
        graph: NeighborGraph,
        gold: npt.NDArray[np.int8],
        encoder: QueryEncoder | None = None,
    ) -> None:
        self.items = items
        self.embeddings = embeddings
        self.graph = graph
        self.gold = gold
        self.space = VectorSpace(lambda: embeddings, encoder)
        self.floor = random_similarity(embeddings, graph.scope)
        self.typical = typical_similarity(graph)
        self.codes = RowCodes()
        self.columns: dict[str, Column] = {}
        self.combined: Combined | None = None
        self.accuracy: LFAccuracy | None = None
        self.settings: tuple[object, ...] = ()

    def update(self, task: Task, lfs: Sequence[LabelingFunction]) -> Update:
        """Run what was edited, extend it, and fit again.

        Parameters
        ----------
        task
            The task as it is now; of its settings, those of labeling functions, extension and
            label model may be others than before, except ``extension.neighbors`` and who may
            borrow from whom.
        lfs
            Its labeling functions as they are now.
        """
        clock = Clock()
        columns: dict[str, Column] = {}
        voted, changed, again, refused = [], [], [], {}
        for lf in lfs:
            old = self.columns.get(lf.name)
            result = old.result if old else None
            if old is None or old.lf.code_version != lf.code_version:
                fresh = apply_labeling_function(lf, self.items, task.classes, self.space)
                voted.append(lf.name)
                if fresh.error_share > task.labeling_functions.max_error_share:
                    refused[lf.name] = fresh.describe_errors()
                    if old:
                        columns[lf.name] = old
                    continue
                if result is None or not fresh.same_votes(result):
                    changed.append(lf.name)
                result = fresh
            clock.lap("votes")
            assert result is not None
            setting = threshold_setting(task, lf.name)
            lent = old.lent if old else None
            if lent is None or lf.name in changed or (old and old.setting != setting):
                lent = self._extend(task, lf.name, result, old)
                again.append(lf.name)
            columns[lf.name] = Column(lf, result, lent, setting)
            clock.lap("extended votes")
        removed = [name for name in self.columns if name not in columns]
        settings = task.label_model, task.extension, tuple(columns)
        combined = self.combined
        if combined is None or again or settings != self.settings:
            combined = self._combine(task, list(columns.values()))
        opened = self.combined is None and not again and not removed
        accuracy = self.accuracy if opened or combined is self.combined else None
        clock.lap("label model")
        labels_before = self.combined.labels if self.combined else combined.labels
        held = list(columns.values())
        table = lf_rows(
            task,
            [column.lf for column in held],
            combined.unique,
            combined.n_counted,
            combined.thresholds,
            self.gold,
            {column.lf.name: column.result.n_errors for column in held},
            accuracy.by_lf if accuracy else None,
        )
        clock.lap("table")
        self.columns, self.combined, self.settings = columns, combined, settings
        self.accuracy = accuracy
        return Update(
            tuple(voted),
            tuple(changed),
            tuple(again),
            tuple(removed),
            refused,
            table,
            accuracy,
            combined,
            labels_before,
            combined.labels,
            clock.seconds,
        )

    def estimated(self, task: Task, update: Update) -> Update:
        """The last update, with the estimates that an edit does not wait for."""
        self.accuracy = update.accuracy or lf_accuracy(
            task, list(self.columns), self.own_votes(), update.combined, self.gold
        )
        table = with_estimates(update.table, self.accuracy.by_lf)
        return replace(update, table=table, accuracy=self.accuracy)

    def own_votes(self) -> npt.NDArray[np.int8]:
        """Own votes of all labeling functions, int8 [n, m]."""
        votes = [column.result.votes for column in self.columns.values()]
        return matrix(votes, len(self.items), np.int8)

    def _extend(self, task: Task, name: str, result: LFResult, old: Column | None) -> Lent:
        same = old is not None and old.setting == threshold_setting(task, name)
        return extend(
            task,
            name,
            result.votes,
            self.graph,
            self.embeddings,
            self.gold,
            self.floor,
            before=old.lent if old and same else None,
            strength=result.strength,
            typical=self.typical,
        )

    def _combine(self, task: Task, columns: Sequence[Column]) -> Combined:
        order = item_order(task, self.items)
        votes = vote_columns(columns, len(self.items), order, self.codes)
        reach = Reach(
            least=np.array([column.lent.least for column in columns]),
            label_free=np.array([column.lent.origin == "auto" for column in columns]),
            floor=self.floor,
        )
        return combine(task, votes, reach, self.gold, self.graph)
