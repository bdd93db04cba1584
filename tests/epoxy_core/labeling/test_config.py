import pytest

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import Not, load_labeling_functions

PYTHON = """
from epoxy_core.labeling import keywords, length, lookup, regex
lfs = [
    keywords("k", "spam", ["free", "win"], at_least=2),
    regex("r", 1, r"\\d{5}"),
    lookup("l", table={"mum": "ham"}, case=True),
    length("s", "ham", unit="words", max=4),
]
"""
YAML = [
    {"name": "k", "type": "keywords", "vote": "spam", "words": ["win", "free"], "at_least": 2},
    {"name": "r", "type": "regex", "vote": "spam", "pattern": r"\d{5}"},
    {"name": "l", "type": "lookup", "table": {"mum": "ham"}, "case": True},
    {"name": "s", "type": "length", "vote": 0, "unit": "words", "max": 4},
]


def test_yaml_equals_python(make_task) -> None:
    python = load_labeling_functions(make_task(PYTHON))
    yaml = load_labeling_functions(make_task(None, *YAML, folder="yaml"))
    assert [lf.name for lf in python] == [lf.name for lf in yaml] == ["k", "r", "l", "s"]
    assert [lf.code_version for lf in python] == [lf.code_version for lf in yaml]
    assert len({lf.code_version for lf in yaml}) == 4


def test_votes_against_a_class_and_probabilities(make_task) -> None:
    python = """
from epoxy_core.labeling import Not, keywords, length, lookup
lfs = [
    keywords("k", Not("spam"), ["win"], probability=0.9),
    lookup("l", table={"mum": "ham"}, probability=0.75),
    length("s", Not(0), max=4),
    length("t", "spam", max=4),
]
"""
    yaml = [
        {"name": "k", "type": "keywords", "vote": {"not": "spam"}, "words": ["win"],
         "probability": 0.9},
        {"name": "l", "type": "lookup", "table": {"mum": "ham"}, "probability": 0.75},
        {"name": "s", "type": "length", "vote": {"not": 0}, "max": 4},
        {"name": "t", "type": "length", "vote": "spam", "max": 4, "probability": 1},
    ]  # fmt: skip
    written = load_labeling_functions(make_task(python))
    read = load_labeling_functions(make_task(None, *yaml, folder="yaml"))
    assert [lf.code_version for lf in written] == [lf.code_version for lf in read]
    # Of two classes, not the one is the other; and 1 is the probability of a plain vote.
    assert read[2].code_version == read[3].code_version
    assert len({lf.code_version for lf in read}) == 3
    assert [lf.vote for lf in read] == [Not("spam"), None, Not(0), "spam"]
    assert [lf.probability for lf in read] == [0.9, 0.75, None, 1]


def test_location_is_the_line_in_task_yaml(make_task) -> None:
    task = make_task(None, *YAML)
    lines = (task.folder / "task.yaml").read_text().splitlines()
    for lf in load_labeling_functions(task):
        assert lf.location is not None
        assert lf.location.file == task.folder / "task.yaml"
        assert f"name: {lf.name}" in lines[lf.location.line - 1]


GOOD = {"name": "k", "type": "keywords", "vote": "spam", "words": ["a"]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"wrods": ["a"]}, "wrods: no such setting"),
        ({"type": "keyword"}, "'keyword'"),
        ({"vote": "spma"}, "votes 'spma', which is not a class"),
        ({"vote": 2}, "votes 2, which is not a class"),
        ({"vote": True}, "vote"),
        ({"vote": {"not": "spma"}}, r"votes Not\('spma'\), which is not a class"),
        ({"vote": {"not": True}}, r"votes Not\(True\), which is not a class"),
        ({"vote": {"nor": "spam"}}, "vote"),
        ({"probability": 0.3}, r"below that of a guess, 0\.5.*write Soft\('ham', 0\.7\)"),
        ({"probability": 1.5}, r"1\.5 of 'spam' is not a number above 0"),
        ({"probability": "high"}, r"probability: .*\(found 'high'\)"),
        ({"words": [1]}, r"words.0: .*\(found 1\)"),
        ({"words": None}, "exactly one of"),
        ({"words": None, "file": "gone.txt"}, "cannot be read"),
        ({"at_least": "two"}, "at_least"),
        ({"name": "a-b"}, "'a-b' is not a name"),
        ({"name": None}, "name"),
        ({"type": "regex", "words": None, "pattern": "(?!a)"}, "look-around"),
    ],
)
def test_errors_name_file_heuristic_and_remedy(make_task, change, problem) -> None:
    settings = {k: v for k, v in (GOOD | change).items() if v is not None}
    with pytest.raises(EpoxyError, match=problem) as caught:
        load_labeling_functions(make_task(None, {**GOOD, "name": "fine"}, settings))
    assert "task.yaml:" in caught.value.where
    assert str(settings.get("name", 1)) in str(caught.value)
    assert caught.value.remedy
