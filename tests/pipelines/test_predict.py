"""``epoxy predict``: the end model on texts that are no items."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from support import edit, epoxy, messages

from epoxy_core.end_model import load_head
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task
from pipelines.predict import SHOWN, predict_files


@pytest.fixture
def trained(finished, monkeypatch):
    """A task that was run, in the working directory; its home."""
    folder, home = finished
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    monkeypatch.delenv("EPOXY_TASKS", raising=False)
    return folder, home


def stdin(monkeypatch, content: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_items_get_the_predictions_they_have(trained, capsys):
    folder, home = trained
    code, printed = epoxy(
        capsys, "predict", folder, folder / "data/first.csv", "--out", "p.parquet"
    )
    assert code == 0
    assert "wrote 160 predictions to p.parquet" in printed
    stored = Database(home.database("messages")).query(
        "SELECT p.* FROM predictions p JOIN items USING (item_id)"
        " WHERE stage = 'end_model' AND split <> 'dev'"  # those have a head that did not see them
    )
    found = pl.read_parquet("p.parquet")
    assert found.columns == ["item_id", "text", "label", "confidence", "probabilities"]
    raw = pl.read_csv(folder / "data/first.csv")
    assert found["item_id"].to_list() == raw["id"].to_list()
    assert found["text"].to_list() == raw["text"].to_list()
    both = found.join(stored, on="item_id")
    np.testing.assert_allclose(
        both["probabilities"].to_list(), both["probabilities_right"].to_list(), atol=0.01
    )
    assert (both["label"] == both["label_right"]).all()


def test_new_texts_in_every_format(trained, capsys, monkeypatch):
    folder, _ = trained
    new = messages(range(81000, 81002)).select("id", "text")
    new.write_csv("new.csv")
    new.write_csv("new.tsv", separator="\t")
    new.write_ndjson("new.jsonl")
    new.write_parquet("new.parquet")
    Path("notes").mkdir()
    for row in new.iter_rows(named=True):
        (Path("notes") / f"{row['id']}.txt").write_text(f"{row['text']}\n")
    results = {}
    for source in ("new.csv", "new.tsv", "new.jsonl", "new.parquet", "notes"):
        code, printed = epoxy(capsys, "predict", folder, source, "--output", "out.csv")
        assert code == 0, printed
        results[source] = pl.read_csv("out.csv")
    stdin(monkeypatch, "\n".join(new["text"]).encode())
    assert epoxy(capsys, "predict", folder, "-", "--output", "out.csv")[0] == 0
    results["-"] = pl.read_csv("out.csv")
    first = results["new.csv"]
    assert first["item_id"].to_list() == new["id"].to_list()
    assert first.columns == ["item_id", "text", "label", "confidence", "P(ham)", "P(spam)"]
    wanted = messages(range(81000, 81002))["label"]
    assert (first["label"] == wanted).mean() > 0.9
    for source, rows in results.items():
        rows = first.select("text").join(rows, on="text", maintain_order="left")
        assert rows["label"].to_list() == first["label"].to_list(), source
        np.testing.assert_allclose(rows["P(spam)"], first["P(spam)"], atol=0.01)
    assert set(results["notes"]["item_id"]) == {f"notes/{name}.txt" for name in new["id"]}
    assert results["-"]["text"].to_list() == new["text"].to_list()


def test_repeats_and_the_order_stay_and_ids_may_be_absent(trained, capsys):
    folder, _ = trained
    texts = ["a free prize, call 80001", "are we still meeting?", "a free prize, call 80001"]
    Path("a.jsonl").write_text("".join(json.dumps({"body": text}) + "\n" for text in texts))
    Path("b.csv").write_text('id,body\n007,"see you, at 8"\n,again\n')
    code, _ = epoxy(
        capsys, "predict", folder, "b.csv", "a.jsonl", "--text", "body", "--out", "o.jsonl"
    )
    assert code == 0
    rows = pl.read_ndjson("o.jsonl")
    assert rows["text"].to_list() == ["see you, at 8", "again", *texts]
    ids = rows["item_id"].to_list()
    assert ids[0] == "007"
    assert ids[2] == ids[4] != ids[3]
    assert len(ids[1]) == len(ids[2]) == 32
    assert rows["probabilities"][2].to_list() == rows["probabilities"][4].to_list()
    np.testing.assert_allclose(rows["probabilities"].list.sum(), 1)
    np.testing.assert_allclose(rows["probabilities"].list.max(), rows["confidence"])


def test_the_saved_head_answers(trained, capsys):
    folder, home = trained
    task = load_task(folder)
    head, _ = load_head(home.end_model("messages"))
    Path("a.csv").write_text("text\na free prize\n")
    epoxy(capsys, "predict", folder, "a.csv", "--out", "before.csv")
    head.bias_ = np.array([100.0, 0.0])
    from assets.features import features_fingerprint

    head.save(
        home.end_model("messages"),
        classes=task.classes,
        encoder=features_fingerprint(task, home.lexical("messages")),
    )
    epoxy(capsys, "predict", folder, "a.csv", "--out", "after.csv")
    assert pl.read_csv("before.csv")["label"].to_list() == ["spam"]
    assert pl.read_csv("after.csv")["label"].to_list() == ["ham"]


def test_bad_rows_are_left_out_and_shown(trained, capsys, monkeypatch):
    folder, _ = trained
    Path("bad.csv").write_bytes(b"id,text\n1,hello\n2,caf\xe9\n3, \n4,a,b\n5,you?\n")
    code, printed = epoxy(capsys, "predict", folder, "bad.csv", "--out", "o.csv")
    assert code == 0
    assert pl.read_csv("o.csv")["item_id"].to_list() == [1, 5]
    for found in ("undecodable: 1", "malformed: 1", "empty_text: 1", "bad.csv:4: (empty)"):
        assert found in printed
    stdin(monkeypatch, b"\xef\xbb\xbfhello\n\ncaf\xe9\nyou?")
    code, printed = epoxy(capsys, "predict", folder, "-", "--out", "o.csv")
    assert code == 0
    assert pl.read_csv("o.csv")["text"].to_list() == ["hello", "you?"]
    assert "standard input:2: (empty)" in printed
    assert "standard input:3: caf" in printed


def test_csv_of_a_task_that_names_columns_and_format(trained, capsys):
    folder, _ = trained
    edit(folder / "task.yaml", "  id: id", "  id: id\n  format: tsv\n  columns: [id, text]")
    Path("new.txt").write_text("1\ta free prize\n2\tsee you\n")
    Path("new.jsonl").write_text('{"id": 3, "text": "see you"}\n')
    code, printed = epoxy(capsys, "predict", folder, "new.txt", "new.jsonl", "--out", "o.csv")
    assert code == 0, printed
    assert pl.read_csv("o.csv")["item_id"].to_list() == [1, 2, 3]


def test_a_table_on_a_terminal_and_csv_into_a_pipe(trained, capsys):
    folder, home = trained
    messages(range(81000, 81010)).write_csv("new.csv")
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
        predict_files(console, load_task(folder), home, ["new.csv"], None, None)
        shown, printed = console.file.getvalue(), capsys.readouterr().out
        if terminal:
            assert len(shown.splitlines()) == 1 + SHOWN + 1
            assert f"and {80 - SHOWN} more" in shown
            assert not printed
        else:
            assert not shown
            rows = pl.read_csv(io.StringIO(printed))
            assert rows.height == 80


def test_without_dagster_and_from_a_pipe(trained):
    folder, home = trained
    script = (
        "import sys; from pipelines.cli import main; sys.argv[0] = 'epoxy'\n"
        "try: main()\nfinally: assert 'dagster' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "predict", str(folder), "-"],
        input=b"a free prize now, call 80001\n",
        capture_output=True,
        env=os.environ
        | {"EPOXY_HOME": str(home.root), "PYTHONPATH": str(Path(__file__).parents[2])},
        check=True,
    )
    (row,) = pl.read_csv(done.stdout).to_dicts()
    assert row["label"] == "spam"
    assert row["confidence"] == max(row["P(ham)"], row["P(spam)"])


def test_nothing_half_written(trained, capsys):
    folder, _ = trained
    Path("a.csv").write_text("text\nhello\n")
    Path("full").mkdir()
    (Path("full") / "o.csv.partial").mkdir()  # what would be written first cannot be
    (Path("full") / "o.csv").write_text("mine")
    code, printed = epoxy(capsys, "predict", folder, "a.csv", "--out", "full/o.csv")
    assert code == 2
    assert "full/o.csv: cannot be written" in printed
    assert (Path("full") / "o.csv").read_text() == "mine"
