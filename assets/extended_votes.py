"""``extended/<name>``: a labeling function's own votes and those its abstains borrow."""

from collections.abc import Iterator, Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.encoder import encoder_of
from assets.keys import EXTENDED, extended_key, key, lf_key, placed, pool, step
from assets.metadata import schema
from assets.store import Store
from assets.versions import code_version, data_version
from assets.votes import own_votes
from epoxy_core.extension import (
    ExtendedVotes,
    NeighborGraph,
    dev_threshold,
    extend_votes,
    random_similarity,
)
from epoxy_core.labeling import ABSTAIN, LabelingFunction
from epoxy_core.storage.database import put
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
                __file__, "extension", settings=[encoder, _setting(task, lf.name)]
            ),
            metadata=schema("extended_votes"),
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
        items = database.query("SELECT item_id, content_hash FROM items ORDER BY item_id")
        item_ids = items["item_id"]
        graph = NeighborGraph(*store.neighbors(task).read(item_ids.to_list()))
        embeddings = store.embeddings(task).load(items["content_hash"].to_list())
        floor = random_similarity(embeddings)
        for lf in lfs:
            if extended_key(task, lf.name) not in context.selected_asset_keys:
                continue
            own = own_votes(database, lf.name, items.height)
            threshold = _setting(task, lf.name)
            if threshold == "dev":
                candidates = extend_votes(own, graph, embeddings, floor)
                least = dev_threshold(candidates, database.labels_by_row("dev"), task.n_classes)
            else:
                least = floor if threshold == "auto" else float(threshold)
            extended = extend_votes(own, graph, embeddings, least)
            rows = _rows(item_ids, lf.name, extended)
            reach = pl.DataFrame(
                {
                    "lf": [lf.name],
                    "least_similarity": [float(least)],
                    "origin": [threshold if isinstance(threshold, str) else "given"],
                    "floor": [floor],
                }
            )
            with database.write() as connection:
                put(connection, "extended_votes", rows, "lf = ?", lf.name)
                put(connection, "extension", reach, "lf = ?", lf.name)
            borrowed = (extended.votes != ABSTAIN) & (own == ABSTAIN)
            yield dg.MaterializeResult(
                asset_key=extended_key(task, lf.name),
                data_version=data_version(rows, f"{least:.6f}"),
                metadata={
                    "dagster/row_count": rows.height,
                    "least_similarity": float(least),
                    "threshold_setting": str(threshold),
                    "coverage": float((own != ABSTAIN).mean()),
                    "borrowed": float(borrowed.mean()),
                },
            )

    return extended_votes


def _setting(task: Task, name: str) -> str | float:
    """The LF's own entry where thresholds are given per LF, else the common setting."""
    threshold = task.extension.threshold
    return threshold.get(name, "auto") if isinstance(threshold, dict) else threshold


def _rows(item_ids: pl.Series, name: str, extended: ExtendedVotes) -> pl.DataFrame:
    voted = np.flatnonzero(extended.votes != ABSTAIN)
    return pl.DataFrame(
        {
            "item_id": item_ids.gather(voted),
            "lf": pl.repeat(name, len(voted), dtype=pl.String, eager=True),
            "vote": extended.votes[voted],
            "source_item_id": item_ids.gather(extended.source[voted]),
            "similarity": extended.similarity[voted],
        }
    )
