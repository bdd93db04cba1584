"""Every kind of edit, and exactly which assets run before the label model.

What comes after it depends on whether the labels change, and is never more than `FOLLOWING`.
"""

import shutil

import polars as pl
import pytest
from support import FOLLOWING, bring_up_to_date, edit, messages, ran

from epoxy_core.home import Home

TASK = """\
name: messages
source: {paths: data/*.csv, id: id}
classes: [ham, spam]
labels: {column: label, dev: 0.4, test: 0.3}
labeling_functions:
  heuristics:
    - {name: in_yaml, type: regex, vote: spam, pattern: 'prize|offer'}
extension: {neighbors: 8}
label_model: {method: dawid_skene}
"""

HEURISTICS = '''\
"""Heuristics."""

from epoxy_core.labeling import keywords, labeling_function
from helpers import long_number

LEAST = 5
WORDS = ["free", "prize"]
VOTES = {"meeting": "ham"}

listed = keywords("listed", vote="spam", file="words.txt")


def asks(text):
    return text.endswith("?")


@labeling_function
def body(x):
    """Whether the message is short."""
    return "ham" if len(x.text) < 40 else None


@labeling_function
def same_file(x):
    return "ham" if asks(x.text) else None


@labeling_function
def other_file(x):
    return "spam" if long_number(x.text) else None


@labeling_function
def constant(x):
    return "spam" if sum(c.isdigit() for c in x.text) >= LEAST else None


@labeling_function
def in_a_list(x):
    return "spam" if any(word in x.text for word in WORDS) else None


@labeling_function
def in_a_dict(x):
    return next((vote for word, vote in VOTES.items() if word in x.text), None)
'''

HELPERS = """\
def long_number(text):
    return any(len(word) > 4 and word.isdigit() for word in text.split())
"""

LFS = ("in_yaml", "listed", "body", "same_file", "other_file", "constant", "in_a_list", "in_a_dict")
EVERY_LF = {f"lf/{name}" for name in LFS}
EVERY_EXTENSION = {f"extended/{name}" for name in LFS}
CORPUS = {"items", "dev_labels", "test_labels"}
FUNCTIONS, SETTINGS = "labeling_functions.py", "task.yaml"


def of(name):
    return {f"lf/{name}", f"extended/{name}"}


EDITS = {
    "body of an LF": (FUNCTIONS, "< 40", "< 30", of("body")),
    "helper in the same file": (FUNCTIONS, 'endswith("?")', 'endswith("e?")', of("same_file")),
    "helper in another file": ("helpers.py", "> 4", "> 7", of("other_file")),
    "global constant": (FUNCTIONS, "LEAST = 5", "LEAST = 6", of("constant")),
    "list constant": (FUNCTIONS, '"free", "prize"', '"won"', of("in_a_list")),
    "dict constant": (FUNCTIONS, '"meeting": "ham"', '"mum": "ham"', of("in_a_dict")),
    "keyword file": ("words.txt", "free", "exclusive", of("listed")),
    "YAML heuristic": (SETTINGS, "prize|offer", "offer", of("in_yaml")),
    "comment": (FUNCTIONS, "LEAST = 5", "LEAST = 5  # digits", set()),
    "docstring": (FUNCTIONS, "Whether the message is short.", "Short?", set()),
    "formatting": (FUNCTIONS, '["free", "prize"]', '[\n    "free",\n    "prize",\n]', set()),
    "votes unchanged": (FUNCTIONS, "< 40", "<= 39", {"lf/body"}),
    "threshold": (SETTINGS, "neighbors: 8", "neighbors: 8, threshold: 0.9", EVERY_EXTENSION),
    "threshold of one LF": (
        SETTINGS,
        "neighbors: 8",
        "neighbors: 8, threshold: {body: 0.9}",
        {"extended/body"},
    ),
    "label-model setting": (SETTINGS, "dawid_skene", "triplets", set()),
    "encoder": (
        SETTINGS,
        "extension:",
        "embedding: {precision: float32}\nextension:",
        {"embeddings", "neighbors"} | EVERY_EXTENSION,
    ),
    "weight of the lexical vectors": (
        SETTINGS,
        "extension:",
        "embedding: {lexical_weight: 0.2}\nextension:",
        set(),
    ),
    "no lexical vectors": (
        SETTINGS,
        "extension:",
        "embedding: {lexical_weight: 0}\nextension:",
        set(),
    ),
    "LF renamed": (FUNCTIONS, "def same_file(", "def renamed(", of("renamed")),
    "LF removed": (FUNCTIONS, "@labeling_function\ndef same_file(", "def same_file(", set()),
    "description of the task": (
        SETTINGS,
        "name: messages",
        "name: messages\ndescription: x",
        set(),
    ),
}
STOP_BEFORE_THE_LABEL_MODEL = {
    "comment",
    "docstring",
    "formatting",
    "votes unchanged",
    "description of the task",
    "weight of the lexical vectors",
    "no lexical vectors",
}


@pytest.fixture(scope="module")
def _run_once(tmp_path_factory):
    root = tmp_path_factory.mktemp("lineage")
    folder = root / "messages"
    (folder / "data").mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    (folder / "helpers.py").write_text(HELPERS)
    (folder / "words.txt").write_text("free\nclaim\n")
    messages(range(80000, 80020)).write_csv(folder / "data" / "first.csv")
    assert not bring_up_to_date(folder, Home(root / "home")).failures
    return root


@pytest.fixture
def task(_run_once, tmp_path):
    for name in ("messages", "home"):
        shutil.copytree(_run_once / name, tmp_path / name)
    (tmp_path / "home" / "dagster" / "dagster.yaml").unlink()
    return tmp_path / "messages", Home(tmp_path / "home")


def did(folder, home):
    done = bring_up_to_date(folder, home)
    assert not done.failures, done.failures
    return ran(done)


@pytest.mark.parametrize("kind", EDITS)
def test_edit(task, kind):
    folder, home = task
    file, old, new, expected = EDITS[kind]
    edit(folder / file, old, new)
    done = did(folder, home)
    assert done - FOLLOWING == expected
    assert ("label_model" in done) == (kind not in STOP_BEFORE_THE_LABEL_MODEL)
    assert did(folder, home) == set()


def test_revert(task):
    folder, home = task
    edit(folder / FUNCTIONS, "< 40", "< 30")
    did(folder, home)
    edit(folder / FUNCTIONS, "< 30", "< 40")
    assert did(folder, home) - FOLLOWING == of("body")
    assert did(folder, home) == set()


def test_revert_before_the_next_run(task):
    folder, home = task
    edit(folder / FUNCTIONS, "< 40", "< 30")
    edit(folder / FUNCTIONS, "< 30", "< 40")
    assert did(folder, home) == set()


@pytest.mark.parametrize("kind", ["new", "changed", "deleted"])
def test_one_row(task, kind):
    folder, home = task
    file = folder / "data" / "first.csv"
    rows = pl.read_csv(file)
    if kind == "new":
        new = {"id": "zz", "text": "a free prize for dinner, call 80000", "label": "spam"}
        rows = pl.concat([rows, pl.DataFrame([new])])
    elif kind == "changed":
        text = pl.when(pl.col("id") == rows["id"][0]).then(pl.lit("free prize?")).otherwise("text")
        rows = rows.with_columns(text=text)
    else:
        rows = rows.slice(1)
    rows.write_csv(file)
    done = did(folder, home)
    # Every LF looks at the new item; those whose votes did not change stop there, but the
    # graph changed, and with it what can be borrowed.
    expected = CORPUS | {"embeddings", "neighbors", "lexical"} | EVERY_LF | EVERY_EXTENSION
    assert done - FOLLOWING == expected
    assert voted_on(home, "body") == (0 if kind == "deleted" else 1)
    assert did(folder, home) == set()


def voted_on(home, lf):
    """How many items a labeling function voted on when it last ran."""
    import dagster as dg

    from pipelines.instance import open_instance

    with open_instance(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["messages", "lf", lf]))
    return event.asset_materialization.metadata["voted_on"].value


def test_a_hand_label_runs_no_heuristic(task):
    folder, home = task
    file = folder / "data" / "first.csv"
    rows = pl.read_csv(file)
    label = pl.when(pl.col("label") == "spam").then(pl.lit("ham")).otherwise(pl.lit("spam"))
    rows.with_columns(label=label).write_csv(file)
    assert did(folder, home) - FOLLOWING == CORPUS


@pytest.mark.parametrize("asset", ["lf/body", "label_model"])
def test_a_wiped_asset_is_made_again(task, asset):
    import dagster as dg

    from pipelines.instance import open_instance

    folder, home = task
    with open_instance(home) as instance:
        instance.wipe_assets([dg.AssetKey(["messages", *asset.split("/")])])
    assert did(folder, home) == {asset}
