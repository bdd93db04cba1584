import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    Not,
    Soft,
    apply_labeling_function,
    apply_labeling_functions,
    expression_labeling_function,
    keywords,
    labeling_function,
)

CLASSES = ["ham", "spam"]


def frame(*texts: str, **columns: list) -> pl.DataFrame:
    ids = [f"id{row}" for row in range(len(texts))]
    return pl.DataFrame({"item_id": ids, "text": list(texts), **columns})


def returning(values: list) -> LabelingFunction:
    return labeling_function(name="f")(lambda x: values[int(x.text)])


def expression(value: pl.Expr, vote: str | int | None = None) -> LabelingFunction:
    return expression_labeling_function(name="e", vote=vote)(lambda: value)


def numbered(n: int) -> pl.DataFrame:
    return frame(*map(str, range(n)))


def test_all_ways_to_vote() -> None:
    values = ["spam", "ham", 1, 0, None, ABSTAIN, np.int64(1), np.int8(-1)]
    result = apply_labeling_function(returning(values), numbered(8), CLASSES)
    assert result.votes.dtype == np.int8
    assert result.votes.tolist() == [1, 0, 1, 0, -1, -1, 1, -1]
    assert (result.errors, result.n_errors, result.error_share) == ([], 0, 0.0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, r"True \(bool\).*a bool is ambiguous"),
        (False, r"False \(bool\)"),
        (np.True_, r"np\.True_ \(bool"),
        (1.0, r"1\.0 \(float\)"),
        (2, r"2 \(int\).*indices 0 to 1"),
        (-2, r"-2 \(int\)"),
        ("spma", r"'spma' \(str\).*'ham', 'spam'"),
        ("x" * 500, "…"),
        ([1], r"\[1\] \(list\)"),
        (10**30, r"\(int\)"),
    ],
)
def test_what_is_no_vote_is_an_error_of_the_item(value: object, shown: str) -> None:
    result = apply_labeling_function(returning([1, value]), numbered(2), CLASSES)
    assert result.votes.tolist() == [1, -1]
    assert (result.n_errors, result.error_share) == (1, 0.5)
    assert result.errors[0].item_id == "id1"
    with pytest.raises(AssertionError, match=shown):
        raise AssertionError(result.errors[0].error)


def test_a_raising_item_abstains_and_says_where() -> None:
    @labeling_function
    def f(x):
        return CLASSES[int(x.text)]

    result = apply_labeling_function(f, frame("1", "x", "0", *["9"] * 20), CLASSES)
    assert result.votes.tolist() == [1, -1, 0] + [-1] * 20
    assert result.n_errors == 21
    assert [error.item_id for error in result.errors] == ["id1"] + [f"id{i}" for i in range(3, 12)]
    assert result.errors[0].error.startswith("ValueError: invalid literal for int()")
    assert "test_apply.py:" in result.errors[0].error
    assert "IndexError" in result.errors[1].error


def test_keyboard_interrupt_passes() -> None:
    @labeling_function
    def f(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_labeling_function(f, frame("a"), CLASSES)


def test_the_item_gives_every_column() -> None:
    seen = []

    @labeling_function
    def f(x):
        seen.append((x.text, x.item_id, x.n, x["odd name"], x["text"]))
        return x.missing

    result = apply_labeling_function(f, frame("a", n=[7], **{"odd name": [None]}), CLASSES)
    assert seen == [("a", "id0", 7, None, "a")]
    assert (
        "no column 'missing'; the items have item_id, text, n, odd name" in result.errors[0].error
    )


def test_an_item_may_be_kept() -> None:
    kept = []
    f = labeling_function(name="f")(lambda x: kept.append(x))
    apply_labeling_function(f, frame("a", "b"), CLASSES)
    assert [item.text for item in kept] == ["a", "b"]


TEXT = pl.col("text")
NUMBER = pl.col("text").cast(pl.Int64)


@pytest.mark.parametrize(
    ("made", "vote", "expected"),
    [
        (TEXT == "1", "spam", [-1, 1, -1]),
        (TEXT == "1", 0, [-1, 0, -1]),
        (pl.when(TEXT == "1").then(None).otherwise(TEXT == "0"), "spam", [1, -1, -1]),
        (pl.when(TEXT == "1").then(pl.lit("spam")), None, [-1, 1, -1]),
        (pl.when(TEXT == "1").then(pl.lit("spam")).cast(pl.Categorical), None, [-1, 1, -1]),
        (NUMBER - 1, None, [-1, 0, 1]),
        (pl.lit("ham"), None, [0, 0, 0]),
        (pl.lit(None), None, [-1, -1, -1]),
        (pl.len() > 2, "spam", [1, 1, 1]),
        (NUMBER.cast(pl.UInt8).replace({2: None}), None, [0, 1, -1]),
    ],
)
def test_expressions(made: pl.Expr, vote: str | int | None, expected: list[int]) -> None:
    result = apply_labeling_function(expression(made, vote), numbered(3), CLASSES)
    assert result.errors == []
    assert result.votes.tolist() == expected
    assert result.votes.dtype == np.int8


def test_expression_values_that_are_no_votes_are_errors_of_their_items() -> None:
    names = TEXT.replace_strict({"0": "ham", "1": "spam"}, default="other")
    for made in (NUMBER, names, NUMBER * 300, (NUMBER * 300).cast(pl.UInt64)):
        result = apply_labeling_function(expression(made), numbered(3), CLASSES)
        last = result.errors[-1]
        assert last.item_id == "id2"
        assert "allowed are the classes 'ham', 'spam'" in last.error
        assert result.votes.tolist()[0] == 0
        assert result.votes.tolist()[2] == -1


@pytest.mark.parametrize(
    ("made", "vote", "problem"),
    [
        (pl.col("gone") == 1, 1, "ColumnNotFoundError"),
        (pl.when(TEXT == "1").then("spam"), None, r"pl\.lit"),
        (TEXT == "1", None, "give it vote="),
        (NUMBER, "spam", "must give a Boolean"),
        (NUMBER * 0.5, None, "Float64, which is not a vote"),
        (TEXT.filter(TEXT == "1"), None, "ShapeError"),
        (TEXT.str.contains("(a"), 1, "unclosed group"),
        ("text", None, "returned str, not a Polars expression"),
    ],
)
def test_an_expression_that_fails_is_an_error_of_all(made, vote, problem) -> None:
    result = apply_labeling_function(expression(made, vote), numbered(3), CLASSES)
    assert result.votes.tolist() == [-1, -1, -1]
    assert (result.n_errors, result.error_share, len(result.errors)) == (3, 1.0, 1)
    assert result.errors[0].item_id is None
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(result.errors[0].error)


THREE = ["ham", "spam", "news"]
CLAIM = pl.Series("p", [0.9, 0.6, 0.2, None])


def test_negative_and_soft_votes_of_items() -> None:
    values = [Not("spam"), Soft("news", 0.5), {"ham": 0.8, "news": 0.2}, "spam", None]
    result = apply_labeling_function(returning(values), numbered(5), THREE)
    assert result.errors == []
    assert result.votes.tolist() == [4, 2, 0, 1, -1]
    assert result.strength is not None
    assert result.strength.dtype == np.float32
    np.testing.assert_array_equal(result.strength, np.float32([1, 0.5, 0.8, 1, 1]))


def test_without_a_soft_vote_there_is_no_strength() -> None:
    values = [Not("spam"), Soft("news", 1), {"ham": 1.0}, None, Soft("ham", 0.1)]
    result = apply_labeling_function(returning(values), numbered(5), THREE)
    assert result.strength is None
    assert result.votes.tolist() == [4, 2, 0, -1, -1]
    assert result.errors[0].item_id == "id4"
    assert "below that of a guess" in result.errors[0].error


@pytest.mark.parametrize(
    ("made", "settings", "votes", "strength"),
    [
        (TEXT == "1", {"vote": Not("ham")}, [-1, 3, -1, -1], None),
        (TEXT <= "1", {"vote": Not(2), "probability": 0.7}, [5, 5, -1, -1], [0.7, 0.7, 1, 1]),
        (pl.when(TEXT == "1").then(2), {"probability": 0.7}, [-1, 2, -1, -1], [1, 0.7, 1, 1]),
        (TEXT == "1", {"vote": "spam", "probability": 1.0}, [-1, 1, -1, -1], None),
        (
            pl.struct(vote=pl.lit("spam"), probability=pl.lit(CLAIM).fill_null(1)),
            {},
            [1, 1, -1, 1],
            [0.9, 0.6, 1, 1],
        ),
        (
            pl.struct(vote=pl.lit(CLAIM) > 0.5, probability=CLAIM),
            {"vote": "news"},
            [2, 2, -1, -1],
            [0.9, 0.6, 1, 1],
        ),
        (
            pl.when(TEXT == "0").then(pl.struct(vote=pl.lit(1), probability=pl.lit(1))),
            {},
            [1, -1, -1, -1],
            None,
        ),
    ],
)
def test_negative_and_soft_votes_of_expressions(made, settings, votes, strength) -> None:
    lf = expression_labeling_function(name="e", **settings)(lambda: made)
    result = apply_labeling_function(lf, numbered(4), THREE)
    assert result.votes.tolist() == votes
    if strength is None:
        assert result.strength is None
    else:
        np.testing.assert_array_equal(result.strength, np.float32(strength))


@pytest.mark.parametrize(
    ("made", "settings", "n_errors", "problem"),
    [
        (pl.struct(vote=pl.lit("ham"), p=pl.lit(1)), {}, 4, "a struct of p, vote; its fields"),
        (pl.struct(vote=pl.lit("ham"), probability=pl.lit("x")), {}, 4, "must be a number"),
        (pl.struct(vote=pl.lit("hm"), probability=pl.lit(1)), {}, 4, "returned 'hm'"),
        (pl.struct(vote=pl.lit("ham"), probability=CLAIM), {}, 2, "0.2 of 'ham' is below"),
        (pl.struct(vote=pl.lit("ham"), probability=CLAIM + 0.2), {}, 2, "1.1 of 'ham' is not a"),
        (pl.struct(vote=TEXT < "3", probability=CLAIM), {"vote": Not(0)}, 2, "not 'ham' is below"),
        (
            pl.struct(vote=pl.lit(1), probability=CLAIM),
            {"probability": 0.5},
            4,
            "has probability=, too",
        ),
        (TEXT == "1", {"vote": Not("hm")}, 4, "no class of the task"),
    ],
)
def test_expressions_with_wrong_probabilities(made, settings, n_errors, problem) -> None:
    lf = expression_labeling_function(name="e", **settings)(lambda: made)
    result = apply_labeling_function(lf, numbered(4), THREE)
    assert result.n_errors == n_errors
    assert problem in result.errors[0].error


def test_one_bad_expression_does_not_take_the_others_down() -> None:
    lfs = [
        expression(TEXT == "1", 1),
        expression(pl.col("gone"), 1),
        returning([0, 1, "?"]),
        keywords("k", "ham", ["2"]),
    ]
    results = apply_labeling_functions(lfs, numbered(3), CLASSES)
    assert [r.votes.tolist() for r in results] == [[-1, 1, -1], [-1] * 3, [0, 1, -1], [-1, -1, 0]]
    assert [r.n_errors for r in results] == [0, 3, 1, 0]


def test_no_items() -> None:
    lfs = [returning([]), expression(TEXT == "a", 1), expression(pl.lit("ham"))]
    for result in apply_labeling_functions(lfs, frame().cast(pl.String), CLASSES):
        assert len(result.votes) == 0
        assert result.error_share == 0


@given(st.lists(st.sampled_from(["ham", "spam", None, 0, 1, -1, 2, "x"]), max_size=30))
def test_python_and_expression_agree(values: list) -> None:
    """The same votes as names, by a call per item and by one expression."""
    names = [CLASSES[v] if v in (0, 1) else None if v == -1 else v for v in values]
    items = numbered(len(values)).cast(pl.String)
    table = pl.lit(pl.Series("v", [None if v is None else str(v) for v in names], dtype=pl.String))
    one = apply_labeling_function(returning(values), items, CLASSES)
    two = apply_labeling_function(expression(table), items, CLASSES)
    assert one.votes.tolist() == two.votes.tolist()
    assert one.n_errors == two.n_errors
