"""Column lineage: which columns of which assets a column is computed from.

Only columns of tables are named: what an asset takes from vectors or the neighbour graph is in the
asset graph. A heuristic may read further columns of the source; it always has the text.
"""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from assets.keys import extended_key, key, lf_key
from epoxy_core.task import Task

ESTIMATES = ("estimated_accuracy", "accuracy_low", "accuracy_high")
DEV_FIGURES = ("dev_accuracy", "dev_low", "dev_high")

Lineage = Mapping[str, Sequence[dg.TableColumnDep]]


def lf_lineage(task: Task) -> Lineage:
    """Columns of ``lf/<name>``."""
    items = key(task, "items")
    text = _column("text", items)
    return {"item_id": _column("item_id", items), "vote": text, "probability": text}


def extended_lineage(task: Task, name: str) -> Lineage:
    """Columns of ``extended/<name>``."""
    own = lf_key(task, name)
    return {
        "item_id": _column("item_id", key(task, "items")),
        "vote": _column("vote", own),
        "probability": _column("probability", own),
        "source_item_id": _column("item_id", own),
    }


def label_model_lineage(task: Task, names: Iterable[str]) -> Lineage:
    """Columns of ``label_model``."""
    extended = [extended_key(task, name) for name in names]
    votes = [*_column("vote", *extended), *_column("probability", *extended)]
    similarities = _column("similarity", *extended)
    return {
        **dict.fromkeys(ESTIMATES, votes),
        "threshold": [*votes, *similarities],
    }


def labels_lineage(task: Task, names: Iterable[str]) -> Lineage:
    """Columns of ``labels``."""
    extended = [extended_key(task, name) for name in names]
    opinion = [
        *_column("vote", *extended),
        *_column("probability", *extended),
        *_column("similarity", *extended),
        *_column("estimated_accuracy", key(task, "label_model")),
        *_column("threshold", key(task, "label_model")),
    ]
    return {
        "item_id": _column("item_id", *extended),
        "label": opinion,
        "confidence": opinion,
        "probabilities": opinion,
        "votes": _column("source_item_id", *extended),
    }


def label_changes_lineage(task: Task) -> Lineage:
    """Columns of ``label_changes``: the labels of this run and of the one before."""
    labels = key(task, "labels")
    return {
        "run_id": _column("run_id", labels),
        "item_id": _column("item_id", labels),
        "label_before": _column("label", labels),
        "label_after": _column("label", labels),
        "confidence_before": _column("confidence", labels),
        "confidence_after": _column("confidence", labels),
    }


def lf_summary_lineage(task: Task, names: Sequence[str]) -> Lineage:
    """Columns of ``lf_summary``."""
    model, gold = key(task, "label_model"), key(task, "dev_labels")
    own = _column("vote", *(lf_key(task, name) for name in names))
    extended = _column("similarity", *(extended_key(task, name) for name in names))
    return {
        **dict.fromkeys(("polarity", "coverage", "overlaps", "conflicts"), own),
        "extended_coverage": [*extended, *_column("threshold", model)],
        "threshold": _column("threshold", model),
        **{name: _column(name, model) for name in ESTIMATES},
        "dev_votes": [*own, *_column("item_id", gold)],
        **{name: [*own, *_column("label", gold)] for name in DEV_FIGURES},
    }


def refined_labels_lineage(task: Task) -> Lineage:
    """Columns of ``refined_labels``."""
    labels, dev = key(task, "labels"), key(task, "dev_labels")
    opinion = [*_column("probabilities", labels), *_column("label", dev)]
    return {
        "item_id": [*_column("item_id", labels), *_column("item_id", dev)],
        **dict.fromkeys(("label", "confidence", "probabilities"), opinion),
    }


def training_set_lineage(task: Task) -> Lineage:
    """Columns of ``training_set``."""
    items, labels = key(task, "items"), key(task, "refined_labels")
    return {
        "item_id": _column("item_id", labels),
        "split": _column("split", items),
        "cut_statistic": _column("label", labels),
        **{
            name: _column(name, labels)
            for name in ("label", "confidence", "probabilities", "weight", "source")
        },
    }


def evaluation_lineage(task: Task, splits: Iterable[str]) -> Lineage:
    """Columns of ``evaluation``: the labels of each split."""
    return {"value": _column("label", *(key(task, f"{split}_labels") for split in splits))}


def in_words(sources: Sequence[dg.TableColumnDep]) -> str:
    """Sources of one column, without the task's name; assets of one folder as ``folder/*``."""
    found: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        name = "/".join(source.asset_key.path[1:])
        folder = name.rpartition("/")[0] or name
        found.setdefault((folder, source.column_name), []).append(name)
    return ", ".join(
        f"`{names[0] if len(names) == 1 else f'{folder}/*'}.{column}`"
        for (folder, column), names in found.items()
    )


def _column(name: str, *assets: dg.AssetKey) -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(asset, name) for asset in assets]
