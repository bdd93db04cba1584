"""What a user reads who got something wrong: a message that says where and what to do, no trace."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import bring_up_to_date, edit, epoxy

from epoxy_core.storage.database import Database

FAILED, REFUSED = 1, 2
"""Exit codes: a check or run that failed; a task or setting that is not one."""

Damage = Callable[[Path], object]


@pytest.fixture
def folder(project, monkeypatch):
    """A sound task in the working directory, results beside it."""
    folder, home = project
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    monkeypatch.delenv("EPOXY_TASKS", raising=False)
    return folder


def task(old: str, new: str) -> Damage:
    return lambda folder: edit(folder / "task.yaml", old, new)


def settings(text: str) -> Damage:
    return lambda folder: (folder / "task.yaml").write_text(text)


def data(content: str | bytes, extra: str = "") -> Damage:
    """Another data file, and settings of the source."""

    def damage(folder):
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "data" / "first.csv").write_bytes(raw)
        edit(folder / "task.yaml", "  id: id\n", f"  id: id\n{extra}")

    return damage


def heuristics(text: str) -> Damage:
    return lambda folder: (folder / "labeling_functions.py").write_text(text)


def more_heuristics(text: str) -> Damage:
    file = "labeling_functions.py"
    return lambda folder: (folder / file).write_text((folder / file).read_text() + text)


def returning(value: str) -> Damage:
    return more_heuristics(f"\n@labeling_function\ndef mine(x):\n    return {value}\n")


def ready_made(entry: str) -> Damage:
    return lambda folder: edit(
        folder / "task.yaml",
        "extension:",
        f"labeling_functions: {{heuristics: [{{{entry}}}]}}\nextension:",
    )


SETTINGS = {
    "a share above 1": (
        task("extension:", "training_set: {keep: 2}\nextension:"),
        "training_set.keep",
    ),
    "hand labels as a YAML boolean": (
        task("extension:", "training_set: {hand_labels: yes}\nextension:"),
        "training_set.hand_labels",
    ),
    "no such refinement": (
        task("extension:", "training_set: {refine: maybe}\nextension:"),
        "training_set.refine",
    ),
    "no such head": (task("extension:", "end_model: {head: forest}\nextension:"), "end_model.head"),
    "a negative weight": (
        task("extension:", "embedding: {lexical_weight: -1}\nextension:"),
        "embedding.lexical_weight",
    ),
    "no task.yaml": (lambda f: (f / "task.yaml").unlink(), "messages/task.yaml", "epoxy init"),
    "YAML syntax": (task("[ham, spam]", "[ham, spam"), "not valid YAML", "line 6"),
    "YAML too deep": (settings("[" * 3000), "not valid YAML", "task.yaml"),
    "not UTF-8": (
        lambda f: (f / "task.yaml").write_bytes(b"name: caf\xe9\n"),
        "not valid YAML",
        "UTF-8",
    ),
    "empty": (settings(""), "a task is a mapping", "Start with name:"),
    "key twice": (task("extension:", "name: other\nextension:"), ":11: 'name' is there twice"),
    "unknown setting": (task("neighbors", "neighbours"), ":12: extension.neighbours: no such"),
    "wrong type": (task("neighbors: 8", "neighbors: many"), ":12:", "integer", "'many'"),
    "section emptied": (task("  neighbors: 8\n", ""), ":11: extension: give a mapping"),
    "name": (task("name: messages", "name: My Task"), ":1: name:", "'My Task'"),
    "one class": (task("[ham, spam]", "[ham]"), ":6: classes:", "at least 2"),
    "bare yes and no": (task("[ham, spam]", "[yes, no]"), ":6: classes:", "in quotes"),
    "class twice": (task("[ham, spam]", "[ham, ham]"), ":6: classes: 'ham' is there twice"),
    "shares of classes": (
        task("extension:", "label_model: {class_balance: [0.5, 0.6]}\nextension:"),
        ":11: label_model.class_balance:",
        "sum to 1",
    ),
    "share that is no number": (
        task("extension:", "label_model: {class_balance: [.nan, 0.5]}\nextension:"),
        "sum to 1",
    ),
    "too few shares": (
        task("extension:", "label_model: {class_balance: [1.0]}\nextension:"),
        "1 shares for 2 classes",
    ),
    "threshold out of range": (
        task("neighbors: 8", "threshold: 1.5"),
        ":12: extension.threshold:",
        "less than or equal to 1",
        "(found 1.5)",
    ),
    "dev threshold without dev labels": (
        lambda f: (task("dev: 0.4", "dev: 0")(f), task("neighbors: 8", "threshold: dev")(f)),
        ":12: extension.threshold: 'dev' needs dev labels, and labels.dev is 0",
    ),
    "quote": (task("  id: id", "  id: id\n  quote: é"), ":6: source.quote:", "ASCII"),
}

CONTENT = {
    "no file": (task("data/*.csv", "absent.csv"), "absent.csv: no such file", "source.paths"),
    "no match": (task("data/*.csv", "raw/*.csv"), "raw/*.csv: no such file", "source.paths"),
    "a folder for a csv": (task("data/*.csv", "data"), "no .txt file in this folder"),
    "unknown suffix": (
        lambda f: (
            shutil.move(f / "data/first.csv", f / "a.xlsx"),
            task("data/*.csv", "a.xlsx")(f),
        ),
        "unknown format: suffix '.xlsx'",
        "source.format",
    ),
    "no text column": (
        task("  id: id", "  id: id\n  text: body"),
        "data/first.csv: no column 'body' (found: 'id', 'text', 'label')",
        "source.text",
    ),
    "no id column": (task("  id: id", "  id: uid"), "no column 'uid'", "Correct source.id"),
    "no label column": (task("column: label", "column: gold"), "'gold'", "labels.column"),
    "no label file": (task("column: label", "file: g.csv"), "g.csv: no such file", "labels.file"),
    "unknown encoding": (
        task("  id: id", "  id: id\n  encoding: utf-99"),
        "unknown text encoding 'utf-99'",
    ),
    "UTF-16": (data("id,text,label\n1,a,ham\n".encode("utf-16")), "not text", "source.encoding"),
    "a stray byte": (
        data(b"id,text,label\n1,caf\xe9,ham\n", "  on_bad_row: error\n"),
        "data/first.csv:2:",
        "Correct source.encoding (utf-8)",
    ),
    "ragged": (
        data("id,text,label\n1,a,b,ham\n2,x\n", "  on_bad_row: error\n"),
        "data/first.csv:2: 4 instead of 3 fields",
        "data/first.csv:3: 2 instead of 3",
        "source.on_bad_row: skip",
    ),
    "empty file": (data(""), "data/first.csv: no readable header row: the file is empty"),
    "no rows": (data("id,text,label\n"), "data/first.csv: no item remains of 0 rows"),
    "blank texts only": (data("id,text,label\n1,,ham\n2, ,spam\n"), "no item", "empty_text: 2"),
    "id twice": (
        data("id,text,label\n1,a,ham\n1,b,ham\n", "  on_duplicate: error\n"),
        "data/first.csv:3: 1",
        "source.on_duplicate: skip",
    ),
    "unknown label": (
        data("id,text,label\n1,a,eggs\n"),
        "data/first.csv:2: eggs",
        "The classes are 'ham', 'spam'",
    ),
    "broken JSONL": (
        lambda f: (
            (f / "a.jsonl").write_text('{"id": 1, "text": "a", "label": "ham"}\n{"id": 2,\n'),
            task("data/*.csv", "a.jsonl\n  on_bad_row: error")(f),
        ),
        'a.jsonl:2: {"id": 2,',
        "source.on_bad_row: skip",
    ),
    "not Parquet": (
        lambda f: (
            (f / "a.parquet").write_text("id,text,label\n"),
            task("data/*.csv", "a.parquet")(f),
        ),
        "a.parquet: not a readable Parquet file",
    ),
    "no model folder": (
        task("extension:", "embedding: {model: ./absent}\nextension:"),
        "embedding.model: no such model folder",
    ),
}

HEURISTICS = {
    "a dependency on no LF": (
        task("extension:", "label_model: {dependencies: [[words, nobody]]}\nextension:"),
        "label_model.dependencies",
        "nobody",
        "is no labeling function",
    ),
    "a dependency on itself": (
        task("extension:", "label_model: {dependencies: [[words, words]]}\nextension:"),
        "label_model.dependencies",
        "is there twice",
    ),
    "a sequence by no column": (
        task("extension:", "label_model: {sequence: {by: nowhere, order: text}}\nextension:"),
        "label_model.sequence",
        "no column",
        "nowhere",
    ),
    "no file": (
        lambda f: (f / "labeling_functions.py").unlink(),
        "labeling_functions.py: the file of labeling functions does not exist",
        "null for none",
    ),
    "syntax": (heuristics("def x(:\n"), "labeling_functions.py:1: syntax error"),
    "import": (heuristics("\nimport absent_package\n"), ".py:2: ModuleNotFoundError", "installed"),
    "exception at import": (heuristics("1 / 0\n"), ".py:1: ZeroDivisionError"),
    "exit at import": (heuristics("import sys\nsys.exit(3)\n"), ".py:2: SystemExit"),
    "none": (heuristics("x = 1\n"), "the task has no labeling function", "@labeling_function"),
    "two of one name": (
        more_heuristics('\nagain = keywords("question", vote="spam", words=["a"])\n'),
        "two labeling functions are named 'question'",
        "Rename one",
    ),
    "votes no class": (
        more_heuristics('\nmine = keywords("mine", vote="eggs", words=["a"])\n'),
        "'mine' votes 'eggs', which is not a class",
        "ham, spam",
    ),
    "raises": (
        returning("x.absent"),
        "mine fails on 160 of 160 items, first on 'm",
        "AttributeError: no column 'absent'; the items have item_id, text",
        "max_error_share",
    ),
    "exits": (returning("exit(4)"), "mine fails on 160 of 160 items", "SystemExit: 4"),
    "a bool": (returning("True"), "returned True (bool)", "'ham', 'spam'", "ambiguous"),
    "a float": (returning("1.0"), "returned 1.0 (float)", "indices 0 to 1"),
    "no class": (returning("'eggs'"), "returned 'eggs' (str)"),
    "no position": (returning("2"), "returned 2 (int)"),
    "a generator": (
        more_heuristics("\n@labeling_function\ndef mine(x):\n    yield 'ham'\n"),
        "'mine' is async or a generator",
        "plain `def`",
    ),
    "no expression": (
        more_heuristics("\n@expression_labeling_function\ndef mine():\n    return pl.col('a')\n"),
        "mine fails on 160 of 160 items: ColumnNotFoundError",
    ),
    "look-around": (
        ready_made("name: mine, type: regex, vote: ham, pattern: '(?=x)y'"),
        "task.yaml:11: labeling_functions.heuristics[0] (mine)",
        "look-around",
    ),
    "unknown type": (ready_made("name: mine, type: magic, vote: ham"), "no type 'magic'", "lookup"),
    "no keyword file": (
        ready_made("name: mine, type: keywords, vote: ham, file: absent.txt"),
        "task.yaml:11: 'mine'",
        "absent.txt: cannot be read",
    ),
    "threshold of none": (
        task("neighbors: 8", "threshold: {absent: 0.8}"),
        "extension.threshold names 'absent', which is no labeling function",
        "There are words, question, number, short",
    ),
}


def named(cases):
    return [pytest.param(damage, words, id=name) for name, (damage, *words) in cases.items()]


@pytest.mark.parametrize("command", ["check", "run", "report"])
@pytest.mark.parametrize(("damage", "words"), named(SETTINGS))
def test_settings(folder, capsys, damage, words, command):
    damage(folder)
    code, printed = epoxy(capsys, command, "messages")
    assert code == REFUSED
    assert all(word in printed for word in words), printed
    assert "error:" in printed
    assert "→" in printed
    assert not Path(os.environ["EPOXY_HOME"]).exists()


@pytest.mark.parametrize(("damage", "words"), named(CONTENT | HEURISTICS))
def test_content_and_heuristics(folder, capsys, damage, words):
    damage(folder)
    code, printed = epoxy(capsys, "check", "messages")
    assert code == FAILED
    assert all(word in printed for word in words), printed
    assert "→" in printed
    assert "Traceback" not in printed
    assert "is ready" not in printed


def test_what_is_left_out_is_shown_and_the_rest_is_ready(folder, capsys):
    with (folder / "data" / "first.csv").open("ab") as stream:
        stream.write(b"x1,caf\xe9,ham\nx2,too,many,fields\nx3,,spam\n")
    code, printed = epoxy(capsys, "check", "messages")
    assert code == 0
    assert "messages is ready" in printed
    for found in ("undecodable: 1", "malformed: 1", "empty_text: 1", "data/first.csv:162:"):
        assert found in printed


def test_classes_without_label_or_vote_are_pointed_out(folder, capsys):
    heuristics(
        "from epoxy_core.labeling import keywords\n"
        'absent = keywords("absent", vote="spam", words=["zzzz"])\n'
    )(folder)
    edit(folder / "task.yaml", "[ham, spam]", "[ham, spam, eggs]")
    code, printed = epoxy(capsys, "check", "messages")
    assert code == 0
    assert "no hand label says eggs" in printed
    assert "no vote for ham, spam, eggs" in printed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(
            data("id,text,label\n1,absent,eggs\n"),
            ["unknown_class: 1", "data/first.csv:2: eggs", "The classes are"],
            id="data",
        ),
        pytest.param(
            returning("x.absent"),
            ["mine fails on 160 of 160 items", "no column 'absent'", "(now 0.05)"],
            id="heuristic",
        ),
    ],
)
def test_a_step_that_fails_gives_its_message_alone(folder, capsys, damage, words):
    damage(folder)
    code, printed = epoxy(capsys, "run", "messages")
    assert code == FAILED
    assert all(word in printed for word in words), printed
    for internal in ("Traceback", "dagster.", "EpoxyError", "Failure:"):
        assert internal not in printed
    code, printed = epoxy(capsys, "report", "messages")
    assert code == REFUSED
    assert "no results" in printed


def test_labels_that_a_check_blocks_stay_unpublished(folder, capsys, project):
    heuristics(
        "from epoxy_core.labeling import keywords\n"
        'mine = keywords("mine", vote="spam", words=["free"])\n'
    )(folder)
    for _ in range(2):
        code, printed = epoxy(capsys, "run", "messages")
        assert code == FAILED
        assert "label_model: No item is labelled ham" in printed
    assert "label_model: its check did not pass" in printed
    database = Database(project[1].database("messages"))
    assert database.query("SELECT * FROM labels").is_empty()


@pytest.mark.parametrize(
    "removed", ["labels.duckdb", "lance", "lexical.safetensors", "training_set"]
)
def test_results_that_are_gone_are_made_again(finished, monkeypatch, removed):
    folder, home = finished
    path = home.task("messages") / removed
    before = Database(home.database("messages")).query("SELECT item_id, label FROM labels")
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert path.exists()
    assert {"its stored result is gone"} <= {str(why) for why in done.ran.values()}
    assert not bring_up_to_date(folder, home).ran
    after = Database(home.database("messages")).query("SELECT item_id, label FROM labels")
    assert after.sort("item_id").equals(before.sort("item_id"))


@pytest.mark.parametrize("content", ["a: [b", "nonsense: true\n"])
def test_a_dagster_instance_that_does_not_open(folder, capsys, project, content):
    project[1].dagster.mkdir(parents=True)
    (project[1].dagster / "dagster.yaml").write_text(content)
    code, printed = epoxy(capsys, "run", "messages")
    assert code == REFUSED
    assert "Dagster's instance cannot be opened" in printed
    assert "dagster.yaml" in printed


def test_a_database_of_another_program(folder, capsys, project):
    import duckdb

    project[1].task("messages").mkdir(parents=True)
    duckdb.connect(project[1].database("messages")).close()
    code, printed = epoxy(capsys, "report", "messages")
    assert code == REFUSED
    assert "is not a database of this program" in printed


def test_a_model_that_is_not_here(folder, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    task("extension:", "embedding: {model: someone/absent-model}\nextension:")(folder)
    code, printed = epoxy(capsys, "check", "messages")
    assert code == 0
    assert "someone/absent-model (from the model hub, on the first run)" in printed
    code, printed = epoxy(capsys, "run", "messages")
    assert code == FAILED
    assert "someone/absent-model needs the model hub, unreachable" in printed
    assert "Give a folder that holds the model" in printed


def test_report_before_any_run(folder, capsys):
    code, printed = epoxy(capsys, "report", "messages")
    assert code == REFUSED
    assert "labels.duckdb: no results yet" in printed
    assert "`epoxy run TASK` makes them" in printed


def test_a_damaged_database(folder, capsys, project):
    file = project[1].database("messages")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 1000)
    for command, code in (("report", REFUSED), ("run", FAILED)):
        found, printed = epoxy(capsys, command, "messages")
        assert found == code
        assert "labels.duckdb: cannot be opened as a DuckDB file" in printed
        assert "remove it: `epoxy run TASK` makes it anew" in printed
    assert file.read_bytes() == b"no database" * 1000


def test_a_home_that_is_a_file(folder, capsys, project):
    project[1].root.write_text("mine")
    code, printed = epoxy(capsys, "run", "messages")
    assert code == REFUSED
    assert "cannot be written" in printed
    assert "EPOXY_HOME" in printed
    assert project[1].root.read_text() == "mine"


def test_no_such_task(folder, capsys, monkeypatch):
    monkeypatch.setenv("EPOXY_TASKS", str(folder.parent))
    code, printed = epoxy(capsys, "check", "absent")
    assert code == REFUSED
    assert "no task 'absent'" in printed
    assert "messages" in printed


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("messages", ["a task is there already", "another folder"]),
        ("messages/task.yaml", ["messages/task.yaml", "cannot be written", "another folder"]),
        ("new --data absent.csv", ["absent.csv: no such file", "--data"]),
        ("new --data a.xlsx", ["cannot tell what a .xlsx is", ".parquet"]),
        ("new --data empty.csv", ["empty.csv: cannot be read"]),
        ("new --data broken.parquet", ["broken.parquet: cannot be read", "Mend the file"]),
        ("new --data numbers.jsonl", ["no text column among ['a']"]),
    ],
)
def test_init_refuses_and_writes_nothing(folder, capsys, target, words):
    contents = {"a.xlsx": "x", "empty.csv": "", "broken.parquet": "x", "numbers.jsonl": '{"a": 1}'}
    for name, content in contents.items():
        Path(name).write_text(content)
    before = sorted(Path().rglob("*"))
    code, printed = epoxy(capsys, "init", *target.split())
    assert code == REFUSED
    assert all(word in printed for word in words), printed
    assert sorted(Path().rglob("*")) == before


def test_init_overwrites_no_heuristics(folder, capsys):
    (folder / "task.yaml").unlink()
    before = (folder / "labeling_functions.py").read_text()
    code, printed = epoxy(capsys, "init", "messages")
    assert code == REFUSED
    assert "labeling_functions.py: cannot be written: File exists" in printed
    assert (folder / "labeling_functions.py").read_text() == before
    assert not (folder / "task.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", ["no texts to predict", "- for lines of text"]),
        ("absent.csv", ["absent.csv: no such file", "Give files that exist"]),
        ("a.xlsx", ["a.xlsx: unknown format: suffix '.xlsx'", ".parquet", "standard input (-)"]),
        ("bare", ["bare: no .txt file in this folder"]),
        ("body.csv", ["body.csv: no column 'text' (found: 'body')", "by --text"]),
        ("a.csv --text body", ["a.csv: no column 'body'", "Correct --text"]),
        ("empty.csv", ["empty.csv: no readable header row: the file is empty"]),
        ("blank.csv", ["blank.csv: no text to predict", "empty_text: 1", "blank.csv:2: (empty)"]),
        ("broken.parquet", ["broken.parquet: not a readable Parquet file"]),
        ("a.csv --out a.xlsx", ["a.xlsx: no format for .xlsx", ".parquet, .jsonl, .csv"]),
        ("a.csv --out absent/o.csv", ["absent/o.csv: cannot be written (no such folder)"]),
        ("a.csv --out a.csv", ["a.csv: is one of the files to predict", "a file of their own"]),
    ],
)
def test_predict_refuses_and_writes_nothing(finished, monkeypatch, capsys, arguments, words):
    folder, home = finished
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    contents = {
        "a.csv": "text\nhello\n",
        "a.xlsx": "x",
        "body.csv": "body\nhello\n",
        "empty.csv": "",
        "blank.csv": "text,n\n ,1\n",
        "broken.parquet": "x",
    }
    for name, content in contents.items():
        Path(name).write_text(content)
    Path("bare").mkdir()
    before = sorted(Path().rglob("*"))
    code, printed = epoxy(capsys, "predict", "messages", *arguments.split())
    assert code == REFUSED
    assert all(word in printed for word in words), printed
    assert "→" in printed
    assert sorted(Path().rglob("*")) == before
    assert all(Path(name).read_text() == content for name, content in contents.items())


def test_predict_heeds_the_rule_for_bad_rows(finished, monkeypatch, capsys):
    folder, home = finished
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    task("  id: id", "  id: id\n  on_bad_row: error")(folder)
    Path("a.csv").write_text("text,n\nhello,1\n,2\n")
    code, printed = epoxy(capsys, "predict", "messages", "a.csv")
    assert code == REFUSED
    assert "a.csv: empty_text: 1" in printed
    assert "a.csv:3: (empty)" in printed
    assert "source.on_bad_row: skip" in printed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(
            lambda folder, model: model.unlink(),
            ["end_model.safetensors: no end model yet", "`epoxy run TASK` trains"],
            id="never trained",
        ),
        pytest.param(
            lambda folder, model: model.write_bytes(b"x"),
            ["end_model.safetensors: not a saved end model", "Remove it"],
            id="damaged",
        ),
        pytest.param(
            lambda folder, _: task("extension:", "embedding: {precision: float32}\nextension:")(
                folder
            ),
            ["end_model.safetensors: trained on embeddings of", ":float32", "`epoxy run TASK`"],
            id="another encoder",
        ),
        pytest.param(
            lambda folder, _: task("[ham, spam]", "[spam, ham]")(folder),
            ["trained for the classes ham, spam; the task's are spam, ham", "`epoxy run TASK`"],
            id="other classes",
        ),
        pytest.param(
            lambda folder, _: task("extension:", "embedding: {lexical_weight: 0}\nextension:")(
                folder
            ),
            ["trained on embeddings of", "+0.5*", "`epoxy run TASK`"],
            id="other vectors",
        ),
        pytest.param(
            lambda _, model: model.with_name("lexical.safetensors").unlink(),
            ["lexical.safetensors: no lexical vectors yet", "`epoxy run TASK` makes them"],
            id="no lexical vectors",
        ),
        pytest.param(
            lambda folder, _: task("extension:", "end_model: null\nextension:")(folder),
            ["messages/task.yaml: the task has no end model", "Remove end_model: null"],
            id="none wanted",
        ),
    ],
)
def test_predict_without_its_end_model(finished, monkeypatch, capsys, damage, words):
    folder, home = finished
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    Path("a.csv").write_text("text\nhello\n")
    damage(folder, home.end_model("messages"))
    code, printed = epoxy(capsys, "predict", "messages", "a.csv", "--out", "o.csv")
    assert code == REFUSED
    assert all(word in printed for word in words), printed
    assert not Path("o.csv").exists()
