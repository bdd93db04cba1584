"""``extended/<name>``: a labeling function's own votes and those its abstains borrow."""

from collections.abc import Iterator, Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.encoder import encoder_of
from assets.keys import EXTENDED, extended_key, key, lf_key, placed, pool, step
from assets.lineage import extended_lineage
from assets.metadata import schema
from assets.scope import items_in_scope, scope_settings
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.lend import Lent, extend, threshold_setting
from epoxy_core.neighbors import random_similarity
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.votes import extended_rows, own_votes, put_extended, reach_row
from epoxy_core.task import Task


def extended_assets(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """The extended votes of every labeling function, in one step that runs any subset."""
    encoder = encoder_of(task).fingerprint

    def spec(lf: LabelingFunction) -> dg.AssetSpec:
        deps = [lf_key(task, lf.name), key(task, "neighbors")]
        if task.extension.threshold == "dev":
            deps.append(key(task, "dev_labels"))
        return dg.AssetSpec(
            extended_key(task, lf.name),
            deps=deps,
            description=f"Own votes of `{lf.name}`, and for the items it abstains on the vote of "
            "the nearest item it voted on, with the source item and the similarity.",
            code_version=code_version(
                __file__,
                "extension",
                "neighbors/kernels.py",
                "neighbors/scope.py",
                "neighbors/similarity.py",
                "neighbors/unrelated.py",
                "labeling/symbols.py",
                "lend.py",
                "borrow_scope.py",
                "item_order.py",
                settings=[encoder, threshold_setting(task, lf.name), scope_settings(task)],
            ),
            metadata=schema("extended_votes", extended_lineage(task, lf.name)),
            **placed(task, EXTENDED, "numpy", "duckdb"),
        )

    @dg.multi_asset(
        name=step(task, "extended"),
        specs=[spec(lf) for lf in lfs],
        can_subset=True,
        pool=pool(task),
    )
    def extended_votes(
        context: dg.AssetExecutionContext, store: Store
    ) -> Iterator[dg.MaterializeResult]:
        database = store.database(task)
        items, scope = items_in_scope(task, database)
        graph = store.neighbors(task).read(items["item_id"], scope)
        embeddings = store.embeddings(task).load(items["content_hash"])
        gold, floor = database.labels_by_row("dev"), random_similarity(embeddings, scope)
        for lf in lfs:
            if extended_key(task, lf.name) in context.selected_asset_keys:
                own, strength = own_votes(database, lf.name, items.height)
                lent = extend(task, lf.name, own, graph, embeddings, gold, floor, strength=strength)
                store_extended(database, lf.name, items["item_id"], lent, floor)
                yield extended_result(task, lf.name, items["item_id"], lent)

    return extended_votes


def store_extended(
    database: Database, lf: str, item_ids: pl.Series, lent: Lent, floor: float
) -> None:
    """Store one labeling function's extended votes."""
    extended = lent.extended
    rows = extended_rows(
        item_ids, lf, extended.votes, extended.source, extended.similarity, extended.strength
    )
    with database.write() as connection:
        put_extended(connection, lf, rows)
        put(connection, "extension", reach_row(lf, lent, floor), "lf = ?", lf)


def extended_result(task: Task, lf: str, item_ids: pl.Series, lent: Lent) -> dg.MaterializeResult:
    """What is reported of one labeling function's extended votes."""
    extended = lent.extended
    voted = extended.votes != ABSTAIN
    own = extended.source == np.arange(len(extended.source))
    borrowed = voted & ~own
    plain = np.empty(0, np.float32) if extended.strength is None else extended.strength
    similarity = np.where(voted, extended.similarity, np.float32(0))
    return dg.MaterializeResult(
        asset_key=extended_key(task, lf),
        data_version=data_version(
            item_ids.to_frame(),
            extended.votes,
            extended.source,
            similarity,
            plain,
            f"{lf} {lent.least:.6f}",
        ),
        metadata={
            "dagster/row_count": int(voted.sum()),
            "least_similarity": lent.least,
            "threshold_setting": lent.origin,
            "coverage": float(own.mean()),
            "borrowed": float(borrowed.mean()),
        },
    )
