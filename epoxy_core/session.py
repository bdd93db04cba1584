"""The warm relabeling loop: a task in memory, brought up to date at every edit of a heuristic."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.combine import Combined, Reach, VoteMatrices, combine
from epoxy_core.extension import ExtendedVotes, NeighborGraph, random_similarity
from epoxy_core.item_order import item_order
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    LFResult,
    apply_labeling_function,
)
from epoxy_core.lend import Lent, extend, threshold_setting
from epoxy_core.lf_accuracy import BY_LF, LFAccuracy, lf_accuracy
from epoxy_core.lf_table import lf_table, with_estimates
from epoxy_core.storage.database import Database
from epoxy_core.storage.lance import EmbeddingStore
from epoxy_core.storage.neighbors import NeighborStore
from epoxy_core.storage.votes import extended_votes
from epoxy_core.task import Task

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


@dataclass(frozen=True)
class Update:
    """What one edit did.

    Attributes
    ----------
    voted
        LFs that were run, because they are new or edited.
    changed
        Those of them whose votes are others than before.
    extended
        LFs whose extended votes were made again.
    removed
        LFs that are gone.
    refused
        LFs that raised too often, with what they raised; their last good votes stay.
    table
        The LF table (columns of ``lf_summary``); without estimated accuracies while there are none.
    accuracy
        How right each LF is; None: not estimated yet (`Session.estimated`).
    combined
        Probabilities of every item, and what was learned of every LF; the same object as before
        if nothing that they depend on changed.
    labels_before, labels
        int8 [n]: class of every item before and after the edit, −1 for none.
    seconds
        Wall time by stage.
    """

    voted: tuple[str, ...]
    changed: tuple[str, ...]
    extended: tuple[str, ...]
    removed: tuple[str, ...]
    refused: dict[str, str]
    table: pl.DataFrame
    accuracy: LFAccuracy | None
    combined: Combined
    labels_before: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int8]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def flipped(self) -> npt.NDArray[np.bool_]:
        """Items whose label is another than before the edit, bool [n]."""
        return np.asarray(self.labels != self.labels_before)


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
    """

    def __init__(
        self,
        items: pl.DataFrame,
        embeddings: npt.NDArray[np.float32],
        graph: NeighborGraph,
        gold: npt.NDArray[np.int8],
    ) -> None:
        self.items = items
        self.embeddings = embeddings
        self.graph = graph
        self.gold = gold
        self.floor = random_similarity(embeddings)
        self.columns: dict[str, Column] = {}
        self.combined: Combined | None = None
        self.accuracy: LFAccuracy | None = None
        self.settings: tuple[object, ...] = ()

    @classmethod
    def open(
        cls,
        task: Task,
        lfs: Sequence[LabelingFunction],
        database: Database,
        embeddings: EmbeddingStore,
        neighbors: NeighborStore,
    ) -> Self:
        """Read a task that is up to date from storage, without running anything.

        Raises
        ------
        EpoxyError
            If the task was never run.
        """
        items = database.query("SELECT * FROM items ORDER BY item_id")
        graph = NeighborGraph(*neighbors.read(items["item_id"].to_list()))
        vectors = embeddings.load(items["content_hash"].to_list())
        session = cls(items, vectors, graph, database.labels_by_row("dev"))
        reach = database.query("SELECT lf, least_similarity, origin FROM extension")
        known = {lf: (least, origin) for lf, least, origin in reach.iter_rows()}
        session.accuracy = LFAccuracy(
            database.query("SELECT * FROM label_model").select(*BY_LF),
            database.query("SELECT * FROM lf_accuracy"),
        )
        stored = extended_votes(database, [lf.name for lf in lfs])
        itself = np.arange(items.height, dtype=np.int32)
        for j, lf in enumerate(lfs):
            lent = ExtendedVotes(*stored.column(j))
            voted = lent.source == itself
            own = np.where(voted, lent.votes, np.int8(ABSTAIN))
            claims = (
                None if lent.strength is None else np.where(voted, lent.strength, np.float32(1))
            )
            session.columns[lf.name] = Column(
                lf,
                LFResult(own, [], 0, claims),
                Lent(lent, *known[lf.name]),
                threshold_setting(task, lf.name),
            )
        return session

    def update(self, task: Task, lfs: Sequence[LabelingFunction]) -> Update:
        """Run what was edited, extend it, and fit again.

        Parameters
        ----------
        task
            The task as it is now; of its settings, those of labeling functions, extension and
            label model may be others than before, except ``extension.neighbors``.
        lfs
            Its labeling functions as they are now.
        """
        clock = _Clock()
        columns: dict[str, Column] = {}
        voted, changed, again, refused = [], [], [], {}
        for lf in lfs:
            old = self.columns.get(lf.name)
            result = old.result if old else None
            if old is None or old.lf.code_version != lf.code_version:
                fresh = apply_labeling_function(lf, self.items, task.classes)
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
        table = lf_table(
            task,
            [column.lf for column in held],
            own=_matrix([column.result.votes for column in held], len(self.items), np.int8),
            counted=combined.counted,
            thresholds=combined.thresholds,
            gold=self.gold,
            n_errors={column.lf.name: column.result.n_errors for column in held},
            estimates=accuracy.by_lf if accuracy else None,
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
        return _matrix(
            [column.result.votes for column in self.columns.values()], len(self.items), np.int8
        )

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
        )

    def _combine(self, task: Task, columns: Sequence[Column]) -> Combined:
        n = len(self.items)
        votes = VoteMatrices(
            own=_matrix([column.result.votes for column in columns], n, np.int8),
            extended=_matrix([column.lent.extended.votes for column in columns], n, np.int8),
            similarity=_matrix(
                [column.lent.extended.similarity for column in columns], n, np.float32
            ),
            strength=_strength([column.lent.extended for column in columns], n),
            names=tuple(column.lf.name for column in columns),
            order=item_order(task, self.items),
        )
        reach = Reach(
            least=np.array([column.lent.least for column in columns]),
            label_free=np.array([column.lent.origin == "auto" for column in columns]),
            floor=self.floor,
        )
        return combine(task, votes, reach, self.gold, self.graph)


def _strength(columns: Sequence[ExtendedVotes], n: int) -> npt.NDArray[np.float32] | None:
    """The LFs' own probabilities of their extended votes; None where no vote is soft."""
    if all(column.strength is None for column in columns):
        return None
    plain = np.ones(n, np.float32)
    found = [plain if column.strength is None else column.strength for column in columns]
    return _matrix(found, n, np.float32)


class _Clock:
    """Adds up wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def _matrix(
    columns: Sequence[npt.NDArray[Scalar]], n: int, dtype: type[Scalar]
) -> npt.NDArray[Scalar]:
    return np.stack(columns, axis=1) if columns else np.empty((n, 0), dtype)
