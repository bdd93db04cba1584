"""Which assets are out of date, and why: computed from public Dagster APIs in one query.

Dagster's own conditions do not serve: ``code_version_changed`` compares with the previous tick
instead of the last materialisation, and ``eager`` ignores data versions. Here an asset is compared
with the tags of its last materialisation: code version, and data version of each input.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import dagster as dg

CODE_VERSION = "dagster/code_version"
DATA_VERSION = "dagster/data_version"
INPUT_VERSION = "dagster/input_data_version/"


@dataclass(frozen=True)
class Staleness:
    """Why one asset is out of date.

    Attributes
    ----------
    missing
        It was never materialised.
    lost
        It was materialised, and what was stored is gone.
    unchecked
        A check that blocks what depends on it failed, or did not come to an end.
    edited
        Its code version is another: the heuristic, a setting or our code changed.
    changed_inputs
        Inputs whose data version is another than the one it was made from, or that are new.
    removed_inputs
        Inputs it was made from that are gone.
    """

    missing: bool = False
    lost: bool = False
    unchecked: bool = False
    edited: bool = False
    changed_inputs: tuple[dg.AssetKey, ...] = ()
    removed_inputs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __str__(self) -> str:
        if self.missing:
            return "never made"
        reasons = ["edited"] if self.edited else []
        reasons += ["its stored result is gone"] if self.lost else []
        reasons += ["its check did not pass"] if self.unchecked else []
        reasons += [f"{_short(key)} changed" for key in self.changed_inputs[:3]]
        if len(self.changed_inputs) > 3:
            reasons.append(f"{len(self.changed_inputs) - 3} more inputs changed")
        reasons += [f"{name} is gone" for name in self.removed_inputs[:3]]
        return ", ".join(reasons) or "fresh"


def staleness(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    lost: Collection[dg.AssetKey] = (),
) -> dict[dg.AssetKey, Staleness]:
    """Compare every materialisable asset with its last materialisation.

    Parameters
    ----------
    instance
        Where materialisations and observations are recorded.
    definitions
        The assets as they are defined now.
    lost
        Assets whose stored result is gone.

    Returns
    -------
    dict
        An entry for every materialisable asset; fresh ones are falsy.
    """
    graph = definitions.resolve_asset_graph()
    recorded = recorded_tags(instance, definitions)
    result = {}
    for key in graph.materializable_asset_keys:
        node, tags = graph.get(key), recorded.get(key)
        if tags is None:
            result[key] = Staleness(missing=True)
            continue
        made_from = {
            name.removeprefix(INPUT_VERSION): version
            for name, version in tags.items()
            if name.startswith(INPUT_VERSION)
        }
        now = {parent: recorded.get(parent, {}).get(DATA_VERSION) for parent in node.parent_keys}
        result[key] = Staleness(
            lost=key in lost,
            unchecked=not _checked(instance, definitions, key),
            edited=tags.get(CODE_VERSION) != node.code_version,
            changed_inputs=tuple(
                parent
                for parent, version in sorted(now.items())
                if made_from.get(parent.to_user_string()) != version
            ),
            removed_inputs=tuple(
                sorted(set(made_from) - {parent.to_user_string() for parent in now})
            ),
        )
    return result


def _checked(instance: dg.DagsterInstance, definitions: dg.Definitions, key: dg.AssetKey) -> bool:
    """Whether every blocking check of the asset passed when it last ran."""
    graph = definitions.resolve_asset_graph()
    for check in graph.get_check_keys_for_assets({key}):
        if graph.get_check_spec(check).blocking:
            last = instance.get_latest_asset_check_evaluation_record(check)
            if last is None or last.status.value != "SUCCEEDED":
                return False
    return True


def recorded_tags(
    instance: dg.DagsterInstance, definitions: dg.Definitions
) -> dict[dg.AssetKey, Mapping[str, str]]:
    """Tags of every asset's last materialisation, and of every source's last observation."""
    graph = definitions.resolve_asset_graph()
    recorded: dict[dg.AssetKey, Mapping[str, str]] = {}
    for record in instance.get_asset_records(list(graph.materializable_asset_keys)):
        last = record.asset_entry.last_materialization
        if last and last.asset_materialization:
            recorded[record.asset_entry.asset_key] = last.asset_materialization.tags or {}
    for key in graph.external_asset_keys:
        # The last observation of a source is not on its asset record in SQLite.
        for event in instance.fetch_observations(key, limit=1).records:
            if event.asset_observation:
                recorded[key] = event.asset_observation.tags
    return recorded


def _short(key: dg.AssetKey) -> str:
    return "/".join(key.path[1:])
