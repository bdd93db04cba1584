"""Write what a warm session holds to the tables, and its lineage to the Dagster instance."""

from collections.abc import Iterator, Mapping
from typing import cast

import dagster as dg

from assets.extended_votes import extended_result, store_extended
from assets.keys import key
from assets.label_model import publish_label_model
from assets.labels import label_results, publish_labels, source_versions
from assets.lf_summary import publish_summary
from assets.lf_votes import lf_code_version, publish_votes, votes_result
from assets.store import Store
from epoxy_core.session import Column, Session, Update
from epoxy_core.storage.publish import complete
from epoxy_core.task import Task
from pipelines.definitions import build
from pipelines.live_tables import BY_WATCH, LiveTables
from pipelines.recovery import exclusively
from pipelines.staleness import CODE_VERSION, DATA_VERSION, INPUT_VERSION, recorded_tags
from pipelines.unrecorded import all_recorded


def record(
    instance: dg.DagsterInstance,
    task: Task,
    store: Store,
    session: Session,
    update: Update,
    tables: LiveTables,
    recorded: Mapping[str, Column],
    *,
    refitted: bool,
) -> str:
    """Record a session as if its assets had been materialised one by one.

    What is not in the tables yet is written: of what was committed at the edit the predictions and
    the estimated accuracies, of what could not be committed everything.

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
    tables
        What the tables hold of it.
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
    with exclusively(instance, task):
        for result, code_version in _columns(task, store, session, tables, recorded):
            ledger.add(result, code_version)
        refusal = _labels(task, store, session, update, tables, ledger) if refitted else ""
        all_recorded(store.paths, task)
    return refusal


def _labels(
    task: Task,
    store: Store,
    session: Session,
    update: Update,
    tables: LiveTables,
    ledger: "_Ledger",
) -> str:
    """The label model, and the labels unless a check stops them; say why one does."""
    database, columns = store.database(task), dict(session.columns)
    assert update.accuracy is not None
    ledger.add(
        publish_label_model(
            task,
            database,
            list(columns),
            session.items["item_id"],
            session.own_votes(),
            update.combined,
            update.accuracy,
        )
    )
    ledger.add(publish_summary(task, database, update.table))
    refusal = ledger.check(store, key(task, "label_model"))
    if refusal:
        return refusal
    lfs = [column.lf for column in columns.values()]
    versions = source_versions(task, lfs, ledger.versions)
    if tables.published.combined is not update.combined:
        made = publish_labels(task, lfs, store, ledger.versions, BY_WATCH)
        tables.adopt(task, made, columns, update.combined, versions)
    else:
        tables.versions = versions
        complete(database, tables.last, versions)
    assert tables.publication is not None
    for result in label_results(task, lfs, store, tables.publication):
        ledger.add(result)
    return ledger.check(store, key(task, "labels"))


def _columns(
    task: Task,
    store: Store,
    session: Session,
    tables: LiveTables,
    recorded: Mapping[str, Column],
) -> Iterator[tuple[dg.MaterializeResult, str | None]]:
    """Votes and extended votes that are not recorded yet, with the votes' code version."""
    database, item_ids = store.database(task), session.items["item_id"]
    for name, column in session.columns.items():
        old, stored = recorded.get(name), tables.hold(name, column)
        if old is None or old.lf.code_version != column.lf.code_version:
            if not stored:
                publish_votes(task, database, column.lf, item_ids, column.result)
            result = votes_result(task, column.lf, item_ids, column.result)
            yield result, lf_code_version(task, column.lf)
        if old is None or old.lent is not column.lent:
            if not stored:
                store_extended(database, name, item_ids, column.lent, session.floor)
            yield extended_result(task, name, item_ids, column.lent), None
        tables.stored[name] = column


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
