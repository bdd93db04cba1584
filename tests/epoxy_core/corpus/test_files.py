"""Paths to files: globs, folders, refusals, digests."""

import os

import pytest

from epoxy_core.corpus import labels_digest, resolve_files, source_digest
from epoxy_core.errors import EpoxyError


def names(task):
    return [file.name for file in resolve_files(task.folder, task.source)]


def test_files_globs_and_folders_are_sorted_and_not_repeated(make_task, write):
    for name in ("b.csv", "a.csv", "deep/c.csv", "deep/.hidden.csv"):
        write(name, "text\nx\n")
    assert names(make_task(paths=["b.csv", "*.csv"])) == ["a.csv", "b.csv"]
    assert names(make_task(paths="**/*.csv")) == ["a.csv", "b.csv", "deep/c.csv"]
    for name in ("notes/2.txt", "notes/1.TXT", "notes/in/3.txt", "notes/readme.md"):
        write(name, "x")
    assert names(make_task(paths="notes")) == ["notes/1.TXT", "notes/2.txt", "notes/in/3.txt"]


def test_a_name_with_glob_characters_is_taken_literally_when_it_exists(make_task, write):
    write("a[1].csv", "text\nx\n")
    write("a1.csv", "text\ny\n")
    assert names(make_task(paths="a[1].csv")) == ["a[1].csv"]


def test_an_absolute_path_works(make_task, write):
    path = write("a.csv", "text\nx\n")
    assert names(make_task(paths=str(path))) == ["a.csv"]


@pytest.mark.parametrize(
    ("content", "source", "problem"),
    [
        ({}, {"paths": "absent.csv"}, "no such file"),
        ({}, {"paths": "*.csv"}, "no such file"),
        ({"d/readme.md": "x"}, {"paths": "d"}, "no .txt file"),
        ({"d/a.csv": "x"}, {"paths": "d", "format": "csv"}, "folder where a csv"),
        ({"d.csv/a.txt": "x"}, {"paths": "d.csv"}, "folder where a csv"),
        ({"a.xlsx": "x"}, {"paths": "a.xlsx"}, "unknown format"),
        ({"a": "x"}, {"paths": "a"}, "unknown format"),
        ({"a.txt": "x", "b.csv": "text"}, {"paths": ["a.txt", "b.csv"]}, "one document"),
        ({"a.jsonl": "{}"}, {"paths": "a.jsonl", "columns": ["text"]}, "columns are named"),
    ],
)
def test_refused_paths(make_task, write, content, source, problem):
    for name, text in content.items():
        write(name, text)
    with pytest.raises(EpoxyError, match=problem) as caught:
        names(make_task(**source))
    assert caught.value.remedy
    assert caught.value.where


def test_a_dangling_link_is_unreadable(make_task, tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(EpoxyError, match="cannot be read"):
        names(make_task(paths="a.csv"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_unreadable(make_task, write):
    write("a.csv", "text\nx\n").chmod(0)
    with pytest.raises(EpoxyError, match="cannot be read"):
        names(make_task(paths="a.csv"))


def test_digest_follows_names_and_bytes_only(make_task, write, tmp_path):
    path = write("a.csv", "text\nx\n")
    before = source_digest(make_task(paths="*.csv"))
    os.utime(path, (1, 1))
    assert source_digest(make_task(paths="a.csv", text="other")) == before
    write("a.csv", "text\ny\n")
    changed = source_digest(make_task(paths="*.csv"))
    path.rename(tmp_path / "b.csv")
    renamed = source_digest(make_task(paths="*.csv"))
    assert len({before, changed, renamed}) == 3


def test_digest_keeps_file_borders_apart(make_task, write):
    write("a.csv", "text\nxy\n")
    write("b.csv", "text\n")
    one = source_digest(make_task(paths="*.csv"))
    write("a.csv", "text\n")
    write("b.csv", "xy\ntext\n")
    assert source_digest(make_task(paths="*.csv")) != one


def test_labels_digest(make_task, write):
    write("a.csv", "text\nx\n")
    write("gold.csv", "id,label\n1,ham\n")
    assert labels_digest(make_task(paths="a.csv")) is None
    before = labels_digest(make_task(paths="a.csv", labels={"file": "gold.csv"}))
    write("gold.csv", "id,label\n1,spam\n")
    assert labels_digest(make_task(paths="a.csv", labels={"file": "gold.csv"})) != before
