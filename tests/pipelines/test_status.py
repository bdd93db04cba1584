"""``epoxy status``, ``relabel`` and ``snapshot``: what they say and leave undone."""

import duckdb
import pytest
from support import edit, epoxy


@pytest.fixture
def cli(finished, monkeypatch, capsys):
    folder, home = finished
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    return folder, home, lambda *words: epoxy(capsys, *words)


def test_status_names_what_is_stale_and_why_and_runs_nothing(cli):
    folder, _, run = cli
    code, said = run("status", str(folder))
    assert (code, "is up to date" in said) == (0, True)
    assert "on disk: " in said
    assert "bytes per item" in said
    for part in ("tables", "vectors", "neighbour graph", "training set", "end model"):
        assert part in said
    edit(folder / "helpers.py", "> 4", "> 7")
    for _ in range(2):
        code, said = run("status", str(folder))
        assert code == 0
        assert "lf/number edited" in said
        assert "extended/number if what it reads changes" in said
        assert "labels if what it reads changes" in said
        assert "words" not in said


def test_relabel_brings_up_to_date_without_the_report(cli):
    folder, _, run = cli
    edit(folder / "helpers.py", "> 4", "> 7")
    code, said = run("relabel", str(folder))
    assert code == 0
    assert "lf/number: edited" in said
    assert "assets materialised" in said
    assert "Labeling functions" not in said
    assert "is up to date" in run("relabel", str(folder))[1]


def test_snapshot_writes_beside_the_tables_unless_told(cli, tmp_path):
    folder, home, run = cli
    assert run("snapshot", str(folder))[0] == 0
    with duckdb.connect(str(home.task("messages") / "snapshot.duckdb"), read_only=True) as copy:
        assert copy.execute("SELECT count(*) FROM items").fetchall() == [(160,)]
    code, said = run("snapshot", str(folder), "--output", str(tmp_path / "no" / "such.duckdb"))
    assert code == 2
    assert "cannot be written" in said
