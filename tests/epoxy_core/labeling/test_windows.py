"""Rules over time against loops over all pairs of items."""

import math
from time import perf_counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import (
    after,
    apply_labeling_functions,
    before,
    expression_labeling_function,
    lasts,
    load_labeling_functions,
    rolling_mean,
    within,
)

ALMOST = 1e-6
TENTHS = [tenths / 10 for tenths in range(13)]
ROW = st.tuples(
    st.sampled_from(["a", "b", "a", "b", None]),
    st.sampled_from([*TENTHS, None, math.nan]),
    st.sampled_from([*TENTHS[:6], None]),
    st.sampled_from([True, True, False, False, None]),
    st.sampled_from([0.0, 1.0, 0.25, -3.0, 7.5, None, math.nan, math.inf]),
)
ROWS = st.lists(ROW, min_size=1, max_size=14)
SECONDS = st.integers(0, 8).map(lambda tenths: tenths / 10)


def frame(rows) -> pl.DataFrame:
    made = [
        (video, start, None if start is None or lasting is None else start + lasting, true, value)
        for video, start, lasting, true, value in rows
    ]
    names = {"video": pl.String, "start": pl.Float64, "end": pl.Float64}
    return pl.DataFrame(
        made, schema={**names, "true": pl.Boolean, "value": pl.Float64}, orient="row"
    )


def together(items: pl.DataFrame) -> list[list[dict]]:
    """The items of the same sequence as each item, itself included."""
    rows = [{"row": i, **row} for i, row in enumerate(items.to_dicts())]

    def alone(row):
        return row["video"] is None or any(
            row[name] is None or math.isnan(row[name]) for name in ("start", "end")
        )

    return [
        [row]
        if alone(row)
        else [other for other in rows if other["video"] == row["video"] and not alone(other)]
        for row in rows
    ]


def check(items: pl.DataFrame, expression: pl.Expr, expected: list) -> None:
    """In the order given, and in any other."""
    order = np.random.default_rng(len(items)).permutation(len(items))
    got = items.select(found=expression)["found"]
    mixed = items[order].select(found=expression)["found"]
    assert got.to_list() == pytest.approx(expected, abs=1e-9)
    assert mixed.to_list() == pytest.approx([expected[row] for row in order], abs=1e-9)


@given(ROWS, SECONDS)
def test_near_before_and_after_equal_a_loop(rows, seconds) -> None:
    items = frame(rows)
    bound = seconds + ALMOST

    def near(row, other):
        if row["start"] == other["start"] and row["end"] == other["end"]:
            return True
        gap = max(other["start"] - row["end"], row["start"] - other["end"])
        return gap <= bound

    def follows(row, other):
        return other["start"] < row["start"] and row["start"] - other["end"] <= bound

    def precedes(row, other):
        return other["start"] > row["start"] and other["start"] - row["end"] <= bound

    expected = [
        bool(row["true"]) or any(o["true"] and near(row, o) for o in others if len(others) > 1)
        for row, others in zip(items.to_dicts(), together(items), strict=True)
    ]
    check(items, within(seconds, of="true"), expected)
    several = [others if len(others) > 1 else [] for others in together(items)]
    rows = items.to_dicts()
    for rule, holds in ((after, follows), (before, precedes)):
        expected = [
            any(o["true"] and holds(row, o) for o in others)
            for row, others in zip(rows, several, strict=True)
        ]
        check(items, rule(seconds, of=pl.col("true")), expected)


@given(ROWS, SECONDS)
def test_rolling_mean_equals_a_loop(rows, seconds) -> None:
    items = frame(rows)
    expected = []
    for row, others in enumerate(together(items)):
        own = next(other for other in others if other["row"] == row)
        values = [
            other["value"]
            for other in others
            if other["value"] is not None and math.isfinite(other["value"])
            if len(others) == 1
            or abs(other["start"] + other["end"] - own["start"] - own["end"]) / 2
            <= seconds / 2 + ALMOST
        ]
        expected.append(sum(values) / len(values) if values else None)
    check(items, rolling_mean(seconds, of="value"), expected)


@given(ROWS, SECONDS)
def test_lasting_equals_a_loop(rows, seconds) -> None:
    items = frame(rows)
    expected = [False] * len(items)
    for others in together(items):
        if len(others) == 1:
            (own,) = others
            known = [own[name] for name in ("start", "end") if own[name] is not None]
            whole = own["video"] is not None and len(known) == 2 and not any(map(math.isnan, known))
            length = own["end"] - own["start"] if whole else 0
            expected[own["row"]] = bool(own["true"]) and length >= seconds - ALMOST
            continue
        runs: list[list[dict]] = [[]]
        for other in sorted(others, key=lambda other: (other["start"], bool(other["true"]))):
            if other["true"]:
                runs[-1].append(other)
            else:
                runs.append([])
        for run in filter(None, runs):
            length = max(other["end"] for other in run) - run[0]["start"]
            for other in run:
                expected[other["row"]] = length >= seconds - ALMOST
    check(items, lasts(seconds, of="true"), expected)


def test_nested_and_over_other_columns() -> None:
    turns = pl.DataFrame(
        {
            "call": ["x"] * 5 + ["y"] * 2,
            "day": [1] * 5 + [2] * 2,
            "turn": [3, 1, 2, 5, 4, 1, 2],
            "loud": [9, 1, 1, 1, 1, 1, 9],
        }
    )
    place = {"by": ["call", "day"], "start": "turn", "end": "turn"}
    jump = pl.col("loud") > 1.9 * rolling_mean(2, pl.col("loud"), **place)
    assert turns.select(jump).to_series().to_list() == [True, *[False] * 6]
    near = within(1, of=jump, **place)
    assert turns.select(near).to_series().to_list() == [
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    assert turns.select(within(9, of=pl.lit(True), **place)).to_series().all()
    assert turns.clear().select(near).height == 0
    mean = pl.col("loud").mean().over("call")
    assert turns.select(lasts(0, pl.col("loud") > mean, **place)).sum().item() == 2


def test_what_is_asked_wrongly_is_said() -> None:
    for seconds in (-1, math.inf, "2"):
        with pytest.raises(EpoxyError, match=r"`within` is given .* for seconds"):
            within(seconds, of="black")

    @expression_labeling_function(vote="cut")
    def no_rule():
        return within(2, of="brightness")

    @expression_labeling_function(vote="cut")
    def no_column():
        return within(2, of="black")

    items = pl.DataFrame(
        {"item_id": ["a"], "video": "v", "start": 0.0, "end": 1.0, "brightness": 0.1}
    )
    results = apply_labeling_functions([no_rule, no_column], items, ["cut", "film"])
    assert "within needs a Boolean" in results[0].errors[0].error
    assert "black" in results[1].errors[0].error


def test_a_million_rows_take_seconds() -> None:
    rng, n = np.random.default_rng(0), 1_000_000
    start = rng.random(n) * 3600
    items = pl.DataFrame(
        {"video": rng.integers(0, 300, n), "start": start, "end": start + 1, "x": rng.random(n)}
    )
    begun = perf_counter()
    items.select(
        a=within(2, of=pl.col("x") < 0.01),
        b=rolling_mean(10, of="x"),
        c=lasts(3, pl.col("x") < 0.9),
    )
    assert perf_counter() - begun < 30


PYTHON = """
import polars as pl
from epoxy_core.labeling import expression_labeling_function, within

NEAR_BLACK = within(2, of=pl.col("black"))

@expression_labeling_function(vote="spam")
def constant():
    return NEAR_BLACK

@expression_labeling_function(vote="spam")
def called():
    return within(3, of="black")
"""


def test_a_rule_counts_in_the_fingerprint(make_task) -> None:
    def versions(python):
        return [lf.code_version for lf in load_labeling_functions(make_task(python))]

    first, edited = versions(PYTHON), versions(PYTHON.replace("within(2", "within(2.5"))
    assert versions(PYTHON) == first
    assert first[0] != edited[0]
    assert first[1] == edited[1] != versions(PYTHON.replace("within(3", "within(4"))[1]
