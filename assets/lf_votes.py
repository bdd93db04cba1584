"""``lf/<name>``: one asset per labeling function, with its fingerprint as code version."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LFS, key, lf_key, placed, pool, step
from assets.known_votes import Voted, note_voted, replace_votes, vote_on_new_items
from assets.lineage import lf_lineage
from assets.metadata import schema, source_link, table
from assets.space import vector_space
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    LFResult,
    apply_labeling_functions,
)
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.item_versions import items_version
from epoxy_core.storage.votes import error_rows, vote_rows
from epoxy_core.task import Task

if TYPE_CHECKING:
    import duckdb

ENGINE = (
    *(
        f"labeling/{module}.py"
        for module in (
            "apply",
            "calls",
            "columns",
            "item_view",
            "per_item",
            "result",
            "row_wise",
            "symbols",
            "votes",
        )
    ),
    "storage/item_versions.py",
    "../assets/known_votes.py",
)
"""How labeling functions are run, and what they return is read."""


ENGINE_ON_VECTORS = (*ENGINE, "labeling/space.py")


def lf_assets(task: Task, lfs: Sequence[LabelingFunction]) -> list[dg.AssetsDefinition]:
    """The votes of every labeling function.

    Those that vote by embeddings are a step of their own: the others neither wait for the encoder
    nor fail with it.
    """
    on_vectors = [lf for lf in lfs if lf.needs_vectors]
    others = [lf for lf in lfs if not lf.needs_vectors]
    items = [key(task, "items")]
    steps = []
    if others:
        steps.append(_lf_step(task, "lf", others, items, "python", "duckdb"))
    if on_vectors:
        needed = [*items, key(task, "embeddings")]
        kinds = ("python", "duckdb", "lancedb")
        steps.append(_lf_step(task, "lf_on_vectors", on_vectors, needed, *kinds))
    return steps


def _lf_step(
    task: Task,
    name: str,
    lfs: Sequence[LabelingFunction],
    deps: Sequence[dg.AssetKey],
    *kinds: str,
) -> dg.AssetsDefinition:
    """One step that runs any subset of them."""

    @dg.multi_asset(
        name=step(task, name),
        specs=[
            dg.AssetSpec(
                lf_key(task, lf.name),
                deps=deps,
                description=lf.description or f"Votes of `{lf.name}`.",
                code_version=lf_code_version(task, lf),
                metadata={**schema("lf_votes", lf_lineage(task)), **source_link(lf.location)},
                **placed(task, LFS, *kinds),
            )
            for lf in lfs
        ],
        can_subset=True,
        pool=pool(task),
    )
    def lf_votes(context: dg.AssetExecutionContext, store: Store) -> Iterator[dg.MaterializeResult]:
        database = store.database(task)
        failed: list[str] = []
        chosen = [lf for lf in lfs if lf_key(task, lf.name) in context.selected_asset_keys]
        version, item_ids = items_version(database), database.item_ids()
        versions = {lf.name: lf_code_version(task, lf) for lf in chosen}
        voted = vote_on_new_items(database, chosen, versions, version, item_ids, task.classes)
        rest = [lf for lf in chosen if lf.name not in voted]
        if rest:
            items = database.query("SELECT * EXCLUDE (split) FROM items ORDER BY item_id")
            space = vector_space(task, store, items["content_hash"])
            results = apply_labeling_functions(rest, items, task.classes, space)
            voted |= {
                lf.name: Voted(result, item_ids) for lf, result in zip(rest, results, strict=True)
            }
        with database.write() as connection:
            stored = {
                lf.name: store_votes(connection, task, lf, item_ids, voted[lf.name], version)
                for lf in chosen
            }
        for lf in chosen:
            new = voted.pop(lf.name)
            if stored[lf.name]:
                yield votes_result(task, lf, item_ids, new.result, len(new.item_ids))
            else:
                failed.append(f"{lf.location}: {lf.name} {new.result.describe_errors()}")
        if failed:
            raise dg.Failure(
                "\n".join(failed)
                + "\n  → Mend it, or raise labeling_functions.max_error_share (now "
                f"{task.labeling_functions.max_error_share:g}). The others' votes are stored.",
                allow_retries=False,
            )

    return lf_votes


def lf_code_version(task: Task, lf: LabelingFunction) -> str:
    """What the votes depend on besides the assets: the heuristic, the classes, how it is run."""
    parts = ENGINE_ON_VECTORS if lf.needs_vectors else ENGINE
    return f"{lf.code_version}-{code_version(__file__, *parts, settings=task.classes)}"


def publish_votes(
    task: Task,
    database: Database,
    lf: LabelingFunction,
    item_ids: pl.Series,
    result: LFResult,
) -> dg.MaterializeResult | None:
    """Store votes of which nothing was noted; only the errors, and None, if it raised too often."""
    with database.write() as connection:
        stored = store_votes(connection, task, lf, item_ids, Voted(result, item_ids), None)
    return votes_result(task, lf, item_ids, result) if stored else None


def store_votes(
    connection: "duckdb.DuckDBPyConnection",
    task: Task,
    lf: LabelingFunction,
    item_ids: pl.Series,
    voted: Voted,
    items_version: int | None,
) -> bool:
    """Store one labeling function's votes; only its errors, and False, if it raised too often.

    Parameters
    ----------
    item_ids
        Of all items.
    voted
        What it said, and on which items it was asked.
    items_version
        Of the items; None if it is not known, so that all are voted on the next time.
    """
    result = voted.result
    refused = result.error_share > task.labeling_functions.max_error_share
    rows = vote_rows(item_ids, lf.name, result.votes, result.strength)
    errors = error_rows(lf.name, result)
    put(connection, "lf_errors", errors, "lf = ?", lf.name)
    if not refused:
        replace_votes(connection, lf.name, voted, rows)
    known = None if refused else items_version
    note_voted(connection, lf.name, lf_code_version(task, lf), known, rows, errors)
    return not refused


def votes_result(
    task: Task,
    lf: LabelingFunction,
    item_ids: pl.Series,
    result: LFResult,
    voted_on: int | None = None,
) -> dg.MaterializeResult:
    """What is reported of one labeling function's votes, on all items if not on so many."""
    n = len(item_ids) if voted_on is None else voted_on
    return dg.MaterializeResult(
        asset_key=lf_key(task, lf.name),
        data_version=data_version(vote_rows(item_ids, lf.name, result.votes, result.strength)),
        metadata={"voted_on": dg.MetadataValue.int(n), **_report(task, result)},
    )


def _report(task: Task, result: LFResult) -> dict[str, dg.MetadataValue]:
    voted = result.votes != ABSTAIN
    counts = np.bincount(result.votes[voted], minlength=2 * task.n_classes)
    against = counts[task.n_classes :]
    soft = 0 if result.strength is None else int((result.strength < 1).sum())
    report: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(int(voted.sum())),
        "coverage": dg.MetadataValue.float(float(voted.mean()) if voted.size else 0.0),
        **{
            f"votes_{name}": dg.MetadataValue.int(int(count))
            for name, count in zip(task.classes, counts, strict=False)
        },
        **{
            f"votes_not_{name}": dg.MetadataValue.int(int(count))
            for name, count in zip(task.classes, against, strict=True)
            if count
        },
        **({"soft_votes": dg.MetadataValue.int(soft)} if soft else {}),
        "errors": dg.MetadataValue.int(result.n_errors),
    }
    if result.errors:
        report["first_errors"] = table(
            pl.DataFrame([{"item_id": e.item_id, "error": e.error} for e in result.errors])
        )
    return report
