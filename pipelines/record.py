"""Write what a warm session holds to the tables, and its lineage to the Dagster instance."""

from collections.abc import Iterator, Mapping
from typing import cast

import dagster as dg

from assets.extended_votes import publish_extended
from assets.keys import key
from assets.label_model import publish_label_model
from assets.labels import publish_labels
from assets.lf_summary import publish_summary
from assets.lf_votes import lf_code_version, publish_votes
from assets.store import Store
from epoxy_core.session import Column, Session, Update
from epoxy_core.task import Task
from pipelines.definitions import build
from pipelines.recovery import exclusively
from pipelines.staleness import CODE_VERSION, DATA_VERSION, INPUT_VERSION, recorded_tags


def record(
    instance: dg.DagsterInstance,
    task: Task,
    store: Store,
    session: Session,
    update: Update,
    recorded: Mapping[str, Column],
    *,
    refitted: bool,
) -> str:
    """Record a session as if its assets had been materialised one by one.

    Parameters
    ----------
    instance
        The shared Dagster instance.
    task
        The task as the session saw it last.
    store
        Where its tables are.
    session
        The session.
    update
        Its last update, with the estimated accuracies (`Session.estimated`).
    recorded
        Columns of the session that are recorded already.
    refitted
        Whether the label model is another than the one recorded.

    Returns
    -------
    str
        What a blocking check said, if one stops the labels or what is made of them.
    """
    definitions = build([task], store.paths)
    ledger = _Ledger(instance, definitions)
    database = store.database(task)
    with exclusively(instance, task):
        for result, code_version in _columns(task, store, session, recorded):
            ledger.add(result, code_version)
        if not refitted:
            return ""
        names, item_ids = list(session.columns), session.items["item_id"]
        assert update.accuracy is not None
        ledger.add(
            publish_label_model(
                task,
                database,
                names,
                item_ids,
                session.own_votes(),
                update.combined,
                update.accuracy,
            )
        )
        ledger.add(publish_summary(task, database, update.table))
        refusal = ledger.check(store, key(task, "label_model"))
        if not refusal:
            lfs = [column.lf for column in session.columns.values()]
            for result in publish_labels(task, lfs, store, ledger.versions, "epoxy watch"):
                ledger.add(result)
            refusal = ledger.check(store, key(task, "labels"))
    return refusal


def _columns(
    task: Task, store: Store, session: Session, recorded: Mapping[str, Column]
) -> Iterator[tuple[dg.MaterializeResult, str | None]]:
    """Votes and extended votes that are not recorded yet, with the votes' code version."""
    database, item_ids = store.database(task), session.items["item_id"]
    for name, column in session.columns.items():
        old = recorded.get(name)
        if old is None or old.lf.code_version != column.lf.code_version:
            result = publish_votes(task, database, column.lf, item_ids, column.result)
            assert result is not None  # a session keeps only what did not raise too often
            yield result, lf_code_version(task, column.lf)
        if old is None or old.lent is not column.lent:
            lent = publish_extended(task, database, name, item_ids, column.lent, session.floor)
            yield lent, None


class _Ledger:
    """Runless materialisations, with the versions that a run would have noted."""

    def __init__(self, instance: dg.DagsterInstance, definitions: dg.Definitions) -> None:
        self.instance = instance
        self.graph = definitions.resolve_asset_graph()
        self.checks = list(definitions.asset_checks or ())
        self.versions = {
            asset: tags[DATA_VERSION]
            for asset, tags in recorded_tags(instance, definitions).items()
            if DATA_VERSION in tags
        }

    def add(self, result: dg.MaterializeResult, code_version: str | None = None) -> None:
        """Note a materialisation; its code version is the present one, or as given."""
        asset = result.asset_key
        assert asset is not None
        assert result.data_version is not None
        node = self.graph.get(asset)
        self.versions[asset] = result.data_version.value
        tags = {
            DATA_VERSION: result.data_version.value,
            CODE_VERSION: code_version or node.code_version or "",
        }
        for parent in node.parent_keys & self.versions.keys():
            tags[INPUT_VERSION + parent.to_user_string()] = self.versions[parent]
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, metadata=result.metadata or {}, tags=tags)
        )

    def check(self, store: Store, asset: dg.AssetKey) -> str:
        """Evaluate the asset's checks; say what those found that failed and block."""
        refusals = []
        for check in self.checks:
            for spec in check.check_specs:
                if spec.asset_key != asset:
                    continue
                result = cast(dg.AssetCheckResult, check(store=store))
                self.instance.report_runless_asset_event(
                    dg.AssetCheckEvaluation(
                        asset_key=asset,
                        check_name=spec.name,
                        passed=result.passed,
                        metadata=result.metadata,
                        severity=result.severity,
                        description=result.description,
                        blocking=spec.blocking,
                    )
                )
                if spec.blocking and not result.passed:
                    refusals.append(result.description or spec.name)
        return "; ".join(refusals)
