"""``lf/<name>``: one asset per labeling function, with its fingerprint as code version."""

from collections.abc import Iterator, Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LFS, key, lf_key, placed, pool, step
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
from epoxy_core.storage.votes import vote_rows
from epoxy_core.task import Task

ENGINE = tuple(
    f"labeling/{module}.py"
    for module in ("apply", "per_item", "columns", "votes", "symbols", "result")
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
        items = database.query("SELECT * EXCLUDE (split) FROM items ORDER BY item_id")
        space = vector_space(task, store, items["content_hash"].to_list())
        failed: list[str] = []
        chosen = [lf for lf in lfs if lf_key(task, lf.name) in context.selected_asset_keys]
        results = apply_labeling_functions(chosen, items, task.classes, space)
        for lf, result in zip(chosen, results, strict=True):
            published = publish_votes(task, database, lf, items["item_id"], result)
            if published:
                yield published
            else:
                failed.append(f"{lf.location}: {lf.name} {result.describe_errors()}")
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
    task: Task, database: Database, lf: LabelingFunction, item_ids: pl.Series, result: LFResult
) -> dg.MaterializeResult | None:
    """Store one labeling function's votes; only its errors, and None, if it raised too often."""
    refused = result.error_share > task.labeling_functions.max_error_share
    rows = vote_rows(item_ids, lf.name, result.votes, result.strength)
    with database.write() as connection:
        put(connection, "lf_errors", _errors(lf.name, result), "lf = ?", lf.name)
        if not refused:
            put(connection, "lf_votes", rows, "lf = ?", lf.name)
    if refused:
        return None
    return dg.MaterializeResult(
        asset_key=lf_key(task, lf.name),
        data_version=data_version(rows),
        metadata=_report(task, result),
    )


def _errors(name: str, result: LFResult) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "lf": name,
                "item_id": found.item_id,
                "error": found.error,
                "n_errors": result.n_errors,
            }
            for found in result.errors
        ],
        schema={"lf": pl.String, "item_id": pl.String, "error": pl.String, "n_errors": pl.Int64},
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
