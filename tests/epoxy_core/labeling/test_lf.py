from pathlib import Path

import polars as pl
import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import (
    ABSTAIN,
    LabelingFunction,
    expression_labeling_function,
    keywords,
    labeling_function,
)


def test_bare_decorator_takes_name_docstring_and_place_of_the_function() -> None:
    @labeling_function
    def shouts(x):
        """Loud people sell.

        More of it here.
        """
        return "spam" if x.text.isupper() else None

    assert isinstance(shouts, LabelingFunction)
    assert (shouts.name, shouts.kind, shouts.description) == ("shouts", "item", "Loud people sell.")
    assert shouts.location is not None
    assert shouts.location.file == Path(__file__)
    line = Path(__file__).read_text().splitlines()[shouts.location.line - 1]
    assert line.strip() == "@labeling_function"
    assert ABSTAIN == -1


def test_decorator_with_arguments() -> None:
    @labeling_function(name="other", files="a.txt")
    def one(x):
        return 1

    @labeling_function(files=["a.txt", "b.txt"])
    def two(x):
        return 1

    assert (one.name, one.files) == ("other", ("a.txt",))
    assert (two.name, two.files) == ("two", ("a.txt", "b.txt"))
    assert one("anything") == 1


def test_expression_decorator() -> None:
    @expression_labeling_function(vote="ham")
    def short():
        return pl.col("text").str.len_chars() < 4

    assert (short.kind, short.vote, short.name) == ("expression", "ham", "short")
    frame = pl.DataFrame({"text": ["abc", "abcd"]})
    assert frame.select(short.expression()).to_series().to_list() == [True, False]
    with pytest.raises(EpoxyError, match="not a function of one item"):
        short("an item")


def test_heuristics_know_the_line_that_makes_them() -> None:
    made = keywords("free", "spam", ["free"])
    assert made.location is not None
    assert made.location.file == Path(__file__)
    assert "keywords(" in Path(__file__).read_text().splitlines()[made.location.line - 1]


@pytest.mark.parametrize("name", ["1st", "a-b", "a b", "é", "<lambda>"])
def test_names_are_identifiers(name: str) -> None:
    with pytest.raises(EpoxyError, match="not a name for a labeling function"):
        labeling_function(name=name)(lambda x: 1)


def test_a_lambda_needs_a_name() -> None:
    assert labeling_function(name="f")(lambda x: 1).name == "f"
    with pytest.raises(EpoxyError, match="A lambda needs a name"):
        labeling_function(lambda x: 1)


def test_misused_decorators_say_what_to_write() -> None:
    with pytest.raises(EpoxyError, match=r"one argument.*\n.*`def f\(x\):`"):

        @labeling_function
        def f():
            return 1

    with pytest.raises(EpoxyError, match="no argument"):

        @expression_labeling_function
        def g(x):
            return pl.col("text")

    with pytest.raises(EpoxyError, match="decorates a function"):
        labeling_function("spam_words")
    with pytest.raises(EpoxyError, match="already"):
        labeling_function(keywords("a", "spam", ["a"]))
