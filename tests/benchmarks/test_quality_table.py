from benchmarks.quality.gold import Point
from benchmarks.quality.scores import Scores
from benchmarks.quality.table import (
    SetResult,
    curve_table,
    quality_table,
    seconds_table,
    worth_table,
)

SETS = [
    SetResult(
        "mail",
        2,
        {
            "plain": [Scores(0.5, 0.25)],
            "drawn": [Scores(0.6, 0.5), Scores(0.7, 0.6), Scores(0.8, 0.7)],
            "two classes": [Scores(0.9, 0.9)],
        },
        {"plain": 0.01234, "drawn": 2.0, "two classes": None},
        [Point(10, (0.5, 0.7)), Point(30, (0.8,))],
    ),
    SetResult(
        "questions",
        6,
        {"plain": [Scores(0.7, 0.3)], "drawn": [Scores(0.5, 0.5), Scores(0.5, 0.5)]},
        {"plain": 1.0, "drawn": 2.0},
        [Point(10, (0.4,)), Point(1000, (0.45,))],
    ),
]
METHODS = ["plain", "two classes", "drawn"]


def test_quality_in_the_order_given():
    assert quality_table(SETS, METHODS, "plain") == [
        "| method | mail accuracy | F1 | questions accuracy | macro F1 | mean accuracy | Δ plain |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| plain | 50.0 | 25.0 | 70.0 | 30.0 | 60.0 | +0.0 |",
        "| two classes | 90.0 | 90.0 | – | – | – | – |",
        "| drawn | 70.0 ± 10.0 | 60.0 ± 10.0 | 50.0 ± 0.0 | 50.0 ± 0.0 | 60.0 | +0.0 |",
    ]


def test_without_a_baseline_there_are_no_means():
    table = quality_table(SETS[:1], ["plain"])
    assert table[0] == "| method | mail accuracy | F1 |"
    assert table[2:] == ["| plain | 50.0 | 25.0 |"]


def test_a_baseline_that_is_not_for_every_set_has_no_difference():
    table = quality_table(SETS, ["plain"], "two classes")
    assert table[2].endswith("| 60.0 | – |")


def test_worth():
    assert worth_table(SETS, METHODS) == [
        "| method | mail | questions |",
        "| --- | ---: | ---: |",
        "| plain | ≤ 10 | > 1,000 |",
        "| two classes | > 30 | – |",
        "| drawn | 20 | > 1,000 |",
    ]


def test_curves_of_different_lengths():
    assert curve_table(SETS)[2:] == [
        "| 10 | 60.0 ± 14.1 | 40.0 |",
        "| 30 | 80.0 |  |",
        "| 1,000 |  | 45.0 |",
    ]


def test_seconds_leave_out_what_was_not_measured():
    assert seconds_table(SETS, METHODS)[2:] == [
        "| plain | 0.012 | 1.000 |",
        "| drawn | 2.000 | 2.000 |",
    ]
