"""Results on synthetic votes as Markdown tables: the same results give the same text."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.synthetic_contest import BLIND, CASES, TRUE, VARIANTS, Case, Coverage, Result
from benchmarks.synthetic_models import ESTIMATORS, METHODS
from benchmarks.synthetic_votes import KINDS

NONE = "–"

Results = Mapping[Case, Sequence[Result]]
Figure = Callable[[Result, str, bool], float | None]


def overview(results: Results) -> list[str]:
    """Mean distance by variant, the worst of all, and the mean calibration error."""
    head = ["method", *VARIANTS, "worst", "calibration error"]
    rows = []
    for method in _present(results, METHODS):
        row = [method]
        for variant in VARIANTS:
            cases = [case for case in CASES if case.variant == variant]
            row.append(_pair(results, cases, distance, method))
        row.append(_pair(results, CASES, distance, method, worst=True))
        row.append(_pair(results, CASES, calibration, method))
        rows.append(row)
    return table(head, rows)


def distance_table(results: Results, variant: str) -> list[str]:
    """Points of accuracy lost to the true parameters, by method and case."""
    cases = [case for case in CASES if case.variant == variant]
    accuracies = [[each.scores[TRUE, True].accuracy for each in results[case]] for case in cases]
    blind = [_text(_mean(results, [case], distance, BLIND, True)) for case in cases]
    return table(
        _head(cases),
        [
            [f"**accuracy of the {TRUE}**", *(f"**{_percent(found)}**" for found in accuracies)],
            [BLIND, *blind],
            *_by_method(results, cases, distance),
        ],
    )


def calibration_table(results: Results, variant: str) -> list[str]:
    """Expected calibration errors in points, by method and case."""
    cases = [case for case in CASES if case.variant == variant]
    least = [_text(_mean(results, [case], calibration, TRUE, True)) for case in cases]
    return table(_head(cases), [[TRUE, *least], *_by_method(results, cases, calibration)])


def accuracy_table(results: Results) -> list[str]:
    """Mean absolute error of estimated accuracies in points, by variant and kind."""
    methods = _present(results, ESTIMATORS)
    rows = []
    for variant in VARIANTS:
        for kind in KINDS:
            cases = [case for case in CASES if (case.variant, case.kind) == (variant, kind)]
            found = [_pair(results, cases, accuracy_error, method) for method in methods]
            rows.append([f"{variant}: {kind}", *found])
    return table(["votes", *methods], rows)


def interval_table(results: Results) -> list[str]:
    """Percentage of 90 % intervals that hold the truth, and their width in points."""
    rows = []
    for variant in VARIANTS:
        for kind in KINDS:
            draws = [
                each
                for case in CASES
                if (case.variant, case.kind) == (variant, kind)
                for each in results[case]
            ]
            row = [f"{variant}: {kind}"]
            for of in ([each.accuracy for each in draws], [each.precision for each in draws]):
                row += _covered(of)
            rows.append(row)
    return table(["votes", "accuracy: holds", "width", "precision: holds", "width"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def distance(result: Result, method: str, given: bool) -> float | None:
    """Accuracy lost to the true parameters; None where the method was not run."""
    found = result.scores.get((method, given))
    return None if found is None else result.scores[TRUE, True].accuracy - found.accuracy


def calibration(result: Result, method: str, given: bool) -> float | None:
    """Expected calibration error."""
    found = result.scores.get((method, given))
    return None if found is None else found.calibration_error


def accuracy_error(result: Result, method: str, given: bool) -> float | None:
    """Mean absolute error of the estimated accuracies."""
    return result.errors.get((method, given))


def _by_method(results: Results, cases: Sequence[Case], figure: Figure) -> list[list[str]]:
    rows = [
        [method, *(_pair(results, [case], figure, method) for case in cases)] for method in METHODS
    ]
    return [row for row in rows if set(row[1:]) != {NONE}]


def _present(results: Results, methods: Sequence[str]) -> list[str]:
    ran = {method for draws in results.values() for each in draws for method, _ in each.scores}
    return [method for method in methods if method in ran]


def _pair(
    results: Results, cases: Sequence[Case], figure: Figure, method: str, worst: bool = False
) -> str:
    """Class balance given / unknown."""
    given, unknown = (
        _text(_mean(results, cases, figure, method, known, worst)) for known in (True, False)
    )
    return NONE if given == unknown == NONE else f"{given} / {unknown}"


def _mean(
    results: Results,
    cases: Sequence[Case],
    figure: Figure,
    method: str,
    given: bool,
    worst: bool = False,
) -> float | None:
    """Mean over seeds and cases, or of the worst case; None if the method is not for all."""
    means = []
    for case in cases:
        found = [figure(each, method, given) for each in results[case]]
        values = [value for value in found if value is not None]
        if values:
            means.append(float(np.mean(values)))
    if not means or (len(means) < len(cases) and not worst):
        return None
    return max(means) if worst else float(np.mean(means))


def _covered(found: Sequence[Mapping[bool, Coverage]]) -> list[str]:
    shares = [_percent([each[given].share for each in found]) for given in (True, False)]
    widths = [_percent([each[given].width for each in found]) for given in (True, False)]
    return [" / ".join(shares), " / ".join(widths)]


def _head(cases: Sequence[Case]) -> list[str]:
    return ["method", *(f"{case.kind} {case.n_classes}" for case in cases)]


def _percent(values: Sequence[float]) -> str:
    return f"{100 * np.mean(values):.1f}"


def _text(value: float | None) -> str:
    return NONE if value is None else f"{round(100 * value, 1) + 0.0:.1f}"  # plus zero: no -0.0
