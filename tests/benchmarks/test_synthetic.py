import math
import re
import sys

import pytest

from benchmarks.synthetic import main, report, run
from benchmarks.synthetic_contest import CASES, TRUE, Case, Coverage, Result, Score, measure
from benchmarks.synthetic_models import AUTO, CHAIN, FLYING_SQUID, METHODS, is_for
from benchmarks.synthetic_table import (
    accuracy_table,
    calibration_table,
    distance_table,
    interval_table,
    overview,
)


def made(method_accuracy):
    """Results in which the true parameters are right on .9 of the items."""
    result = Result()
    result.scores[TRUE, True] = Score(0.9, 0.001)
    for name in ("true parameters, abstaining not read", AUTO):
        result.scores[name, True] = Score(method_accuracy, 0.02)
    result.scores[AUTO, False] = Score(method_accuracy - 0.1, 0.04)
    result.errors.update({(AUTO, True): 0.01, (AUTO, False): 0.02})
    for given in (True, False):
        result.accuracy[given] = Coverage(0.9, 0.1)
        result.precision[given] = Coverage(0.8 if given else 0.7, 0.2)
    return result


def test_tables_are_means_over_seeds_and_cases():
    results = {case: [made(0.89), made(0.87)] for case in CASES}
    results[CASES[0]] = [made(0.92), made(0.8799999)]
    for case in CASES:
        if case.n_classes == 2:
            for each in results[case]:
                each.scores[FLYING_SQUID, True] = Score(0.6, 0.3)
    distances = distance_table(results, "independent")
    assert distances[2].startswith("| **accuracy of the true parameters** | **90.0** |")
    assert distances[3].startswith("| true parameters, abstaining not read | 0.0 | 2.0 |")
    assert distances[4].startswith(f"| {FLYING_SQUID} | 30.0 / – | – | – | 30.0 / – |")
    assert distances[5].startswith(f"| {AUTO} | 0.0 / 10.0 | 2.0 / 12.0 |")
    errors = calibration_table(results, "copies")
    assert errors[2].startswith("| true parameters | 0.1 |")
    assert errors[4].startswith(f"| {AUTO} | 2.0 / 4.0 |")
    rows = {line.split(" | ")[0]: line for line in overview(results)}
    assert rows[f"| {AUTO}"].split(" | ")[1:3] == ["1.8 / 11.8", "2.0 / 12.0"]
    assert rows[f"| {AUTO}"].endswith("| 2.0 / 12.0 | 2.0 / 4.0 |")
    assert rows[f"| {FLYING_SQUID}"].endswith("| – | – | – | – | 30.0 / – | – |")
    assert accuracy_table(results)[2] == "| independent: both_class | 1.0 / 2.0 |"
    expected = "| independent: both_class | 90.0 / 90.0 | 10.0 / 10.0 | 80.0 / 70.0 | 20.0 / 20.0 |"
    assert interval_table(results)[2] == expected


def test_a_small_run_without_peers_has_every_figure_and_repeats():
    results = run(200, (0,), None)
    text = report(results, 200, "about")
    for case in CASES[::10]:
        (one,), again = results[case], measure(case, 200, 0, None)
        assert one.scores.keys() == again.scores.keys()
        for method, score in one.scores.items():
            assert score == pytest.approx(again.scores[method], abs=1e-9)
    assert not re.search(r"\bnan\b|\binf\b|-0\.0\b|Snorkel \|", text)
    assert text.endswith("\n\nabout\n")
    for case, draws in results.items():
        ordered = case.variant.startswith("chain")
        for each in draws:
            assert ((CHAIN, False) in each.scores) == ordered
            assert set(each.accuracy) == set(each.precision) == {True, False}
            assert all(math.isfinite(value) for value in each.errors.values())


def test_what_is_measured_on_many_items():
    result = measure(Case("independent", "both_class", 2), 8000, 1, None)
    best = result.scores[TRUE, True]
    assert best.accuracy - 0.01 < result.scores[AUTO, True].accuracy <= best.accuracy + 0.002
    assert result.errors[AUTO, True] < 0.03 < result.errors["majority vote", True]
    assert 0 < result.accuracy[True].width < 0.5
    assert result.accuracy[True].share > 0.5


def test_methods_are_run_where_they_apply():
    chains = [m for m in METHODS if is_for(m, n_classes=2, ordered=True, given=False)]
    assert chains == list(METHODS)
    many = [m for m in METHODS if is_for(m, n_classes=4, ordered=False, given=True)]
    assert "Snorkel" in many
    assert AUTO in many
    assert not {CHAIN, FLYING_SQUID, "Dawid–Skene (crowd-kit)"} & set(many)


def test_an_environment_without_the_peers_is_named(tmp_path, capsys):
    output = tmp_path / "synthetic.md"
    assert main(["--peers", sys.executable, "--output", str(output)]) == 1
    assert "requirements.txt" in capsys.readouterr().err
    assert not output.exists()
