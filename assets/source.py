"""``source``: the raw files, observed by a hash of their content."""

import warnings

import dagster as dg

from assets.keys import CORPUS, key, placed
from epoxy_core.corpus import fetch_source, labels_digest, source_digest
from epoxy_core.task import Task


def source_asset(task: Task) -> dg.SourceAsset | dg.AssetsDefinition:
    """The task's raw files as an observable source."""
    with warnings.catch_warnings():  # the decorator is in beta, and says so at every use
        warnings.simplefilter("ignore", dg.BetaWarning)
        observable = dg.observable_source_asset(
            key=key(task, "source"),
            description=f"Raw files: `{'`, `'.join(task.source.paths)}`. "
            "The data version is a hash of their content.",
            group_name=placed(task, CORPUS)["group_name"],
            metadata={"folder": dg.MetadataValue.path(str(task.folder))},
        )

    def source() -> dg.DataVersion:
        return observe_source(task)

    return observable(source)


def observe_source(task: Task) -> dg.DataVersion:
    """Fetch the raw files if the task says where from; hash them and the gold label file."""
    fetch_source(task)
    return dg.DataVersion("-".join(filter(None, (source_digest(task), labels_digest(task)))))
