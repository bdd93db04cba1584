"""The results as Markdown: the same results give the same text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.quality.gold import Point, worth
from benchmarks.quality.scores import Scores
from epoxy_core.choices import Choice

NONE = "–"


@dataclass(frozen=True, slots=True)
class SetResult:
    """Scores of all methods on one set, one per seed; a method that is not for the set is absent.

    Attributes
    ----------
    name, n_classes
        Of the set.
    scores
        By method.
    seconds
        By method; None where they are part of another's.
    curve
        Of gold labels, empty for a set without embeddings.
    choices
        What methods decided by themselves.
    """

    name: str
    n_classes: int
    scores: Mapping[str, Sequence[Scores]]
    seconds: Mapping[str, float | None]
    curve: Sequence[Point] = ()
    choices: Mapping[str, Choice] = field(default_factory=dict)

    def accuracy(self, method: str) -> float:
        """Mean over seeds."""
        return float(np.mean([each.accuracy for each in self.scores[method]]))


def quality_table(
    sets: Sequence[SetResult], methods: Sequence[str], baseline: str | None = None
) -> list[str]:
    """Accuracy and F1 by method and set; with a baseline, the means and how far they are from it.

    A method that is not for all sets has no mean.
    """
    head, rows = ["method"], []
    for result in sets:
        head += [f"{result.name} accuracy", "F1" if result.n_classes == 2 else "macro F1"]
    if baseline:
        head += ["mean accuracy", f"Δ {baseline}"]
    reference = _mean(sets, baseline) if baseline else None
    for method in methods:
        row = [method]
        for result in sets:
            found = result.scores.get(method, ())
            row += [
                _spread([each.accuracy for each in found]),
                _spread([each.f1 for each in found]),
            ]
        if baseline:
            mean = _mean(sets, method)
            row.append(NONE if mean is None else f"{100 * mean:.1f}")
            row.append(_difference(mean, reference))
        rows.append(row)
    return _table(head, rows)


def worth_table(sets: Sequence[SetResult], methods: Sequence[str]) -> list[str]:
    """How many gold labels each method is worth, by set."""
    rows = []
    for method in methods:
        row = [method]
        for result in sets:
            found = result.scores.get(method, ())
            row.append(_worth(result.curve, [each.accuracy for each in found]))
        rows.append(row)
    return _table(["method", *(result.name for result in sets)], rows)


def curve_table(sets: Sequence[SetResult]) -> list[str]:
    """Test accuracy after training on so many gold labels, by set."""
    sizes = sorted({point.size for result in sets for point in result.curve})
    rows = []
    for size in sizes:
        row = [f"{size:,}"]
        for result in sets:
            at = [point for point in result.curve if point.size == size]
            row.append(_spread(at[0].accuracies) if at else "")
        rows.append(row)
    return _table(["gold labels", *(result.name for result in sets)], rows)


def seconds_table(sets: Sequence[SetResult], methods: Sequence[str]) -> list[str]:
    """Seconds of a run, fitting and labelling all items, by set."""
    rows = []
    for method in methods:
        times = [result.seconds.get(method) for result in sets]
        if any(seconds is not None for seconds in times):
            rows.append([method, *(NONE if s is None else f"{s:.3f}" for s in times)])
    return _table(["method", *(result.name for result in sets)], rows)


def _mean(sets: Sequence[SetResult], method: str) -> float | None:
    found = [result.scores.get(method, ()) for result in sets]
    if not all(found):
        return None
    return float(np.mean([np.mean([each.accuracy for each in scores]) for scores in found]))


def _difference(mean: float | None, reference: float | None) -> str:
    if mean is None or reference is None:
        return NONE
    return f"{round(100 * (mean - reference), 1) + 0.0:+.1f}"  # plus zero: no -0.0


def _spread(values: Sequence[float]) -> str:
    if not values:
        return NONE
    mean = f"{100 * np.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * np.std(values, ddof=1):.1f}"


def _worth(curve: Sequence[Point], accuracies: Sequence[float]) -> str:
    if not curve or not accuracies:
        return NONE
    found = worth(curve, float(np.mean(accuracies)))
    if found is None:
        return f"> {curve[-1].size:,}"
    return f"≤ {found:,}" if found == curve[0].size else f"{found:,}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
