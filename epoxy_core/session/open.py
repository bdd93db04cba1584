"""Open a session on what is stored of a task."""

from collections.abc import Sequence

import numpy as np

from epoxy_core.borrow_scope import borrow_scope
from epoxy_core.extension import ExtendedVotes
from epoxy_core.labeling import ABSTAIN, LabelingFunction, LFResult, QueryEncoder
from epoxy_core.lend import Lent, threshold_setting
from epoxy_core.lf_accuracy import BY_LF, LFAccuracy
from epoxy_core.session.columns import Column
from epoxy_core.session.loop import Session
from epoxy_core.storage.database import Database
from epoxy_core.storage.lance import EmbeddingStore
from epoxy_core.storage.neighbors import NeighborStore
from epoxy_core.storage.votes import extended_votes
from epoxy_core.task import Task


def open_session(
    task: Task,
    lfs: Sequence[LabelingFunction],
    database: Database,
    embeddings: EmbeddingStore,
    neighbors: NeighborStore,
    encoder: QueryEncoder | None = None,
) -> Session:
    """Read a task that is up to date from storage, without running anything.

    Parameters
    ----------
    task, lfs
        The task and its labeling functions.
    database, embeddings, neighbors
        Where its results are.
    encoder
        See `Session`.

    Raises
    ------
    EpoxyError
        If the task was never run.
    """
    items = database.query("SELECT * EXCLUDE (split) FROM items ORDER BY item_id")
    scope = borrow_scope(task, items)
    graph = neighbors.read(items["item_id"], scope)
    vectors = embeddings.load(items["content_hash"])
    session = Session(items, vectors, graph, database.labels_by_row("dev"), encoder)
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
        claims = None if lent.strength is None else np.where(voted, lent.strength, np.float32(1))
        session.columns[lf.name] = Column(
            lf,
            LFResult(own, [], 0, claims),
            Lent(lent, *known[lf.name]),
            threshold_setting(task, lf.name),
        )
    return session
