import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import (
    LabelingFunction,
    apply_labeling_function,
    between,
    keywords,
    length,
    load_labeling_functions,
    lookup,
    regex,
)
from epoxy_core.labeling.expressions import ONE_PATTERN

CLASSES = ["ham", "spam", "news"]


def votes(lf: LabelingFunction, texts: list[str | None], **columns: list) -> list[int]:
    ids = [str(row) for row in range(len(texts))]
    frame = pl.DataFrame(
        {"item_id": ids, "text": texts, **columns}, schema_overrides={"text": pl.String}
    )
    result = apply_labeling_function(lf, frame, CLASSES)
    assert result.errors == []
    return result.votes.tolist()


def test_keywords_match_whole_words_and_phrases() -> None:
    lf = keywords("k", "spam", ["win", "call now", "£100", "c++"])
    texts = [
        "WIN it",
        "window",
        "Call  \n now!",
        "recall now",
        "a £100 note",
        "£1000",
        "c++.",
        "c+",
        None,
    ]
    assert votes(lf, texts) == [1, -1, 1, -1, 1, -1, 1, -1, -1]


def test_keywords_settings() -> None:
    assert votes(keywords("k", 1, ["win"], whole_words=False), ["window", "won"]) == [1, -1]
    assert votes(keywords("k", 1, ["Win"], case=True), ["Win", "win"]) == [1, -1]
    twice = keywords("k", 1, ["win", "cash", "prize"], at_least=2)
    assert votes(twice, ["win win", "win cash", "cash, prize, win"]) == [-1, 1, 1]
    assert votes(keywords("k", 1, ["x"], column="title"), ["x", "-"], title=["-", "x"]) == [-1, 1]


WORDS = st.lists(st.sampled_from(["a", "ab", "b", "£", "x-y", "a.b", "É", "_"]), min_size=1)
TEXT = st.text(alphabet="aAbBxy-._£éÉ ", max_size=12)


@given(
    WORDS, st.lists(TEXT, min_size=1, max_size=5), st.booleans(), st.booleans(), st.integers(1, 3)
)
def test_keywords_equal_a_loop_with_re(
    words: list[str], texts: list[str], whole: bool, case: bool, n: int
) -> None:
    def found(word: str, text: str) -> bool:
        edges = [r"\b" if re.match(r"\w", c) and whole else "" for c in (word[0], word[-1])]
        pattern = edges[0] + re.escape(word) + edges[1]
        return re.search(pattern, text, 0 if case else re.IGNORECASE) is not None

    lf = keywords("k", "spam", words, whole_words=whole, case=case, at_least=n)
    expected = [1 if sum(found(w, t) for w in set(words)) >= n else -1 for t in texts]
    assert votes(lf, texts) == expected


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("case", [False, True])
@given(
    texts=st.lists(
        st.text("aAbB1_sS\u017fkK\u212aé\u0130 '-", max_size=12), min_size=1, max_size=20
    )
)
def test_many_keywords_are_found_as_few_are(n: int, case: bool, texts: list[str]) -> None:
    listed = ["a", "A", "ab", "b1", "s", "bs", "k_", "é", "a b", "a-b", "i", "1"]
    rest = [f"word{number}" for number in range(ONE_PATTERN)]
    many = keywords("k", "spam", [*listed, *rest], at_least=n, case=case)
    few = keywords("k", "spam", listed, at_least=n, case=case)
    assert votes(many, texts) == votes(few, texts)


def test_regex() -> None:
    assert votes(regex("r", "news", r"(?i)\bfree\b.*\d"), ["FREE 2", "free", None]) == [2, -1, -1]


def test_length_counts_characters_or_words_with_both_bounds_included() -> None:
    texts = ["", "héy", "four", "a b  c", None]
    assert votes(length("l", 0, min=3, max=4), texts) == [-1, 0, 0, -1, -1]
    assert votes(length("l", 0, unit="words", min=2), texts) == [-1, -1, -1, 0, -1]
    assert votes(length("l", 0, max=0), texts) == [0, -1, -1, -1, -1]


def test_lookup_of_words_takes_the_majority_and_abstains_on_a_tie() -> None:
    lf = lookup("l", table={"Win": "spam", "cash": "spam", "mum": "ham", "élan": "news"})
    texts = ["win CASH, mum", "win mum", "mum, mum; win", "Élan!", "window", None]
    assert votes(lf, texts) == [1, -1, -1, 2, -1, -1]


def test_lookup_of_a_value() -> None:
    lf = lookup("l", table={"Bank Of X": "spam", "mum": "ham"}, match="value", column="sender")
    assert votes(lf, [""] * 4, sender=["bank of x", "mum", "x", None]) == [1, 0, -1, -1]
    exact = lookup("l", table={"Mum": "ham"}, match="value", case=True)
    assert votes(exact, ["mum", "Mum"]) == [-1, 0]


def test_lookup_with_one_vote_for_all_terms() -> None:
    assert votes(lookup("l", "spam", table=["win", "cash"]), ["win", "x"]) == [1, -1]
    assert votes(lookup("l", "spam", table=["x y"], match="value"), ["x y", "x"]) == [1, -1]


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(CLASSES), min_size=1),
    st.lists(st.text(alphabet="abcdefg ", max_size=15), min_size=1, max_size=6),
)
def test_lookup_equals_a_loop(table: dict[str, str], texts: list[str]) -> None:
    expected = []
    for text in texts:
        hits = [table[word] for word in set(text.split()) if word in table]
        counts = {label: hits.count(label) for label in set(hits)}
        best = [label for label, count in counts.items() if count == max(counts.values())]
        expected.append(CLASSES.index(best[0]) if len(best) == 1 else -1)
    assert votes(lookup("l", table=table), texts) == expected


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: keywords("k", 1), "exactly one of `words` and `file`"),
        (lambda: keywords("k", 1, ["a"], file="a.txt"), "exactly one of"),
        (lambda: keywords("k", 1, "free"), "one text, not a list"),
        (lambda: keywords("k", 1, ["a", " "]), "' ' is not a keyword"),
        (lambda: keywords("k", 1, []), "no keyword"),
        (lambda: keywords("k", 1, ["a"], at_least=0), "`at_least` is 0"),
        (lambda: regex("k", 1, "(?<=a)b"), "look-around"),
        (lambda: regex("k", 1, "(a"), "unclosed group"),
        (lambda: lookup("k"), "exactly one of `table` and `file`"),
        (lambda: lookup("k", table={}), "empty"),
        (lambda: lookup("k", table={"a b": "ham"}), "not one word"),
        (lambda: lookup("k", table={"a": "ham", "A": "spam"}), "two classes"),
        (lambda: lookup("k", table=["a"]), "'a' has None for a class"),
        (lambda: lookup("k", table={"a": "ham"}, match="word"), "`match` is 'word'"),
        (lambda: length("k", 1), "neither"),
        (lambda: length("k", 1, min=3, max=2), "from 3 to 2"),
        (lambda: length("k", 1, min=3, unit="tokens"), "`unit` is 'tokens'"),
    ],
)
def test_bad_settings_name_the_heuristic(make: object, problem: str) -> None:
    with pytest.raises(EpoxyError, match=problem) as caught:
        make()
    assert "heuristic 'k'" in caught.value.where
    assert caught.value.remedy


def test_files(make_task) -> None:
    words = {"name": "k", "type": "keywords", "vote": "spam", "file": "words.txt"}
    terms = {"name": "l", "type": "lookup", "file": "terms.csv"}
    task = make_task(
        None,
        words,
        terms,
        words_txt="# comment\nwin\n\n call now \n",
        terms_csv="term,label\nmum,ham\n",
    )
    first, second = load_labeling_functions(task)
    assert votes(first, ["win", "call now", "comment"]) == [1, 1, -1]
    assert votes(second, ["hi mum", "label"]) == [0, -1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("word,class\na,ham\n", r"columns are \['word', 'class'\]"),
        ("term,label\na,ham,x\n", "3 fields where the header has 2: a,ham,x"),
        ("term,label\na,hm\n", "'hm'.*not a class"),
        ("term,label\n", "empty"),
        ("", "columns are"),
    ],
)
def test_bad_lookup_files(make_task, content: str, problem: str) -> None:
    task = make_task(None, {"name": "l", "type": "lookup", "file": "t.csv"}, t_csv=content)
    with pytest.raises(EpoxyError, match=problem) as caught:
        load_labeling_functions(task)
    assert "task.yaml" in caught.value.where
    assert "t.csv" in str(caught.value)


def test_between_takes_any_column_of_numbers() -> None:
    values = [0.1, 0.2, 0.5, None, float("nan"), 0.51]
    texts = [""] * len(values)
    assert votes(between("b", "spam", "x", min=0.2, max=0.5), texts, x=values) == [-1, 1, 1] + 3 * [
        -1
    ]
    assert votes(between("b", "spam", "x", min=0.5), texts, x=values) == [-1, -1, 1, -1, -1, 1]
    assert votes(between("b", "spam", "x", max=3), ["", "", ""], x=["2", "10", None]) == [1, -1, -1]
    assert votes(between("b", "spam", "x", min=1), ["", ""], x=[True, False]) == [1, -1]
    assert between("b", "spam", "x", max=3).description == "x from … to 3"


def test_between_refuses_what_votes_nothing() -> None:
    with pytest.raises(EpoxyError, match="'b': neither `min` nor `max`"):
        between("b", "spam", "x")
    with pytest.raises(EpoxyError, match="no number lies from 2 to 1"):
        between("b", "spam", "x", min=2, max=1)
    with pytest.raises(EpoxyError, match="from nan to 1"):
        between("b", "spam", "x", min=float("nan"), max=1)
    lf = between("b", "spam", "x", min=1)
    for columns, problem in (({}, '"x"'), ({"x": ["many"]}, "many")):
        frame = pl.DataFrame({"item_id": ["a"], **columns})
        assert problem in apply_labeling_function(lf, frame, CLASSES).errors[0].error
