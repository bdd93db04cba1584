"""Pictures for the Dagster UI."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#3b6fb6", "#d9822b", "#4c9f70", "#b5485d", "#7d5ba6", "#6b7280")


def confidence_histogram(labels: pl.DataFrame) -> "Figure":
    """How confident the labels are, stacked by class."""
    figure, axes = _figure()
    names = sorted(labels["label"].unique().to_list())
    by_class = [labels.filter(pl.col("label") == name)["confidence"].to_numpy() for name in names]
    if names:
        axes.hist(
            by_class,
            bins=np.linspace(min(map(np.min, by_class)), 1, 41).tolist(),
            stacked=True,
            label=names,
            color=_colors(len(names)),
        )
    axes.set_xlabel("confidence")
    axes.set_ylabel("items")
    axes.legend(frameon=False)
    return figure


def coverage_bars(summary: pl.DataFrame) -> "Figure":
    """Share of items each labeling function covers, with and without borrowed votes."""
    rows = summary.sort("extended_coverage")
    figure, axes = _figure(height=0.8 + 0.28 * rows.height)
    axes.barh(
        rows["lf"].to_list(),
        rows["extended_coverage"].to_list(),
        color="#c9d7ea",
        label="own and borrowed",
    )
    axes.barh(rows["lf"].to_list(), rows["coverage"].to_list(), color=PALETTE[0], label="own votes")
    axes.set_xlabel("share of items")
    axes.legend(frameon=False, loc="lower right")
    return figure


def stage_bars(scores: pl.DataFrame) -> "Figure":
    """Accuracy of every stage, on dev and held-out items."""
    figure, axes = _figure()
    stages = scores["stage"].unique(maintain_order=True).to_list()
    splits = scores["split"].unique(maintain_order=True).to_list()
    width = 0.8 / max(1, len(splits))
    for i, split in enumerate(splits):
        values = dict(scores.filter(pl.col("split") == split).select("stage", "value").iter_rows())
        at = np.arange(len(stages)) + (i - (len(splits) - 1) / 2) * width
        heights = [values.get(stage, 0.0) for stage in stages]
        bars = axes.bar(at, heights, width, label=split, color=PALETTE[i])
        axes.bar_label(bars, fmt="{:.1%}", fontsize="small")
    axes.set_xticks(range(len(stages)), [stage.replace("_", " ") for stage in stages])
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.02), ncols=len(splits))
    return figure


def _figure(height: float = 3.0) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, height), layout="tight")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _colors(n: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(n)]
