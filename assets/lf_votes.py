"""``lf/<name>``: one asset per labeling function, with its fingerprint as code version."""

from collections.abc import Iterator, Sequence

import dagster as dg
import numpy as np
import polars as pl

from assets.keys import LFS, key, lf_key, placed, pool, step
from assets.metadata import schema, table
from assets.store import Store
from assets.versions import code_version, data_version
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    LFResult,
    apply_labeling_function,
)
from epoxy_core.storage.database import put
from epoxy_core.task import Task


def lf_assets(task: Task, lfs: Sequence[LabelingFunction]) -> dg.AssetsDefinition:
    """The votes of every labeling function, in one step that runs any subset of them."""
    engine = code_version(__file__, "labeling/apply.py", settings=task.classes)

    @dg.multi_asset(
        name=step(task, "lf"),
        specs=[
            dg.AssetSpec(
                lf_key(task, lf.name),
                deps=[key(task, "items")],
                description=lf.description or f"Votes of `{lf.name}`.",
                code_version=f"{lf.code_version}-{engine}",
                metadata={**schema("lf_votes"), "source": str(lf.location)},
                **placed(task, LFS, "python", "duckdb"),
            )
            for lf in lfs
        ],
        can_subset=True,
        pool=pool(task),
    )
    def lf_votes(context: dg.AssetExecutionContext, store: Store) -> Iterator[dg.MaterializeResult]:
        database = store.database(task)
        items = database.query("SELECT * FROM items ORDER BY item_id")
        failed: list[str] = []
        for lf in lfs:
            if lf_key(task, lf.name) not in context.selected_asset_keys:
                continue
            result = apply_labeling_function(lf, items, task.classes)
            share = result.n_errors / max(1, items.height)
            refused = share > task.labeling_functions.max_error_share
            with database.write() as connection:
                put(connection, "lf_errors", _errors(lf.name, result), "lf = ?", lf.name)
                if not refused:
                    votes = _votes(items["item_id"], lf.name, result)
                    put(connection, "lf_votes", votes, "lf = ?", lf.name)
            if refused:
                failed.append(f"{lf.location}: {lf.name} {result.describe_errors()}")
                continue
            yield dg.MaterializeResult(
                asset_key=lf_key(task, lf.name),
                data_version=data_version(*items["item_id"], result.votes),
                metadata=_report(task, result),
            )
        if failed:
            raise dg.Failure(
                "\n".join(failed)
                + "\n  → Mend it, or raise labeling_functions.max_error_share (now "
                f"{task.labeling_functions.max_error_share:g}). The others' votes are stored.",
                allow_retries=False,
            )

    return lf_votes


def _votes(item_ids: pl.Series, name: str, result: LFResult) -> pl.DataFrame:
    voted = np.flatnonzero(result.votes != ABSTAIN)
    return pl.DataFrame(
        {
            "item_id": item_ids.gather(voted),
            "lf": pl.repeat(name, len(voted), dtype=pl.String, eager=True),
            "vote": result.votes[voted],
        }
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
    counts = np.bincount(result.votes[voted], minlength=task.n_classes)
    report: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(int(voted.sum())),
        "coverage": dg.MetadataValue.float(float(voted.mean()) if voted.size else 0.0),
        "votes": table(pl.DataFrame({"class": task.classes, "votes": counts})),
        "errors": dg.MetadataValue.int(result.n_errors),
    }
    if result.errors:
        report["first_errors"] = table(
            pl.DataFrame([{"item_id": e.item_id, "error": e.error} for e in result.errors])
        )
    return report
