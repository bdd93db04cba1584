"""Gold labels: names, positions, files, splits."""

import polars as pl
import pytest

from epoxy_core.corpus import read_corpus, split_of
from epoxy_core.errors import EpoxyError


def labels_of(corpus):
    return dict(corpus.gold.select("item_id", "label").iter_rows())


def test_labels_from_a_column(make_task, write):
    write("a.csv", "id,text,y\n1,a,ham\n2,b, spam \n3,c,\n4,d,0\n")
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels={"column": "y"}))
    assert labels_of(corpus) == {"1": 0, "2": 1, "4": 0}
    assert corpus.gold.schema == {"item_id": pl.String, "split": pl.String, "label": pl.Int8}
    assert "y" not in corpus.items.columns
    assert corpus.items["split"].to_list() == ["dev", "dev", "unlabeled", "dev"]
    assert corpus.report.splits == {"unlabeled": 1, "dev": 3, "test": 0}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_labels_from_a_file(make_task, write, tmp_path, kind):
    write("a.csv", "id,text\n1,a\n2,b\n3,c\n")
    gold = pl.DataFrame({"id": [2, 1, 9], "label": ["spam", "ham", "ham"]})
    path = tmp_path / f"gold.{kind}"
    {"csv": gold.write_csv, "jsonl": gold.write_ndjson, "parquet": gold.write_parquet}[kind](path)
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels={"file": path.name}))
    assert labels_of(corpus) == {"1": 0, "2": 1}
    (problem,) = corpus.report.problems
    assert (problem.kind, problem.count, problem.rule) == ("unknown_item", 1, "report")
    assert str(problem.examples[0]) == f"gold.{kind}:{4 if kind == 'csv' else 3}: 9"


def test_documents_take_labels_by_path(make_task, write):
    write("raw/a.txt", "x")
    write("gold.csv", "id,label\nraw/a.txt,spam\n")
    corpus = read_corpus(make_task(paths="raw", labels={"file": "gold.csv"}))
    assert labels_of(corpus) == {"raw/a.txt": 1}


def test_floats_with_nulls_are_positions(make_task, tmp_path):
    frame = pl.DataFrame({"text": ["a", "b", "c"], "y": [1.0, None, float("nan")]})
    frame.write_parquet(tmp_path / "a.parquet")
    corpus = read_corpus(make_task(paths="a.parquet", labels={"column": "y"}))
    assert corpus.gold["label"].to_list() == [1]


def test_numeric_class_names_are_names_never_positions(make_task, write):
    write("a.csv", "id,text,y\n1,a,1\n2,b,0\n")
    task = make_task(paths="a.csv", id="id", labels={"column": "y"}, classes=("1", "0"))
    assert labels_of(read_corpus(task)) == {"1": 0, "2": 1}
    task = make_task(paths="a.csv", id="id", labels={"column": "y"}, classes=("1", "2"))
    with pytest.raises(EpoxyError, match="unknown_class"):
        read_corpus(task)


def test_unknown_classes(make_task, write):
    write("a.csv", "id,text,y\n1,a,ham\n2,b,eggs\n3,c,spm\n4,d,spm\n5,e,2\n6,f,-1\n")
    source = {"paths": "a.csv", "id": "id"}
    with pytest.raises(EpoxyError) as caught:
        read_corpus(make_task(**source, labels={"column": "y"}))
    message = str(caught.value)
    assert "unknown_class: 5" in message
    assert "a.csv:4: spm (2 rows)" in message
    assert "'ham', 'spam'" in message
    skipping = make_task(**source, labels={"column": "y", "on_unknown_class": "skip"})
    corpus = read_corpus(skipping)
    assert labels_of(corpus) == {"1": 0}
    assert corpus.items.height == 6
    assert corpus.report.count("unknown_class") == 5


def test_conflicting_labels_follow_on_duplicate(make_task, write):
    write("a.csv", "text,y\nhi,ham\nhi,\nhi,spam\nhi,ham\n")
    corpus = read_corpus(make_task(paths="a.csv", labels={"column": "y"}))
    assert corpus.gold["label"].to_list() == [0]
    assert corpus.report.count("conflicting_label") == 1
    with pytest.raises(EpoxyError, match="conflicting_label: 1"):
        read_corpus(make_task(paths="a.csv", labels={"column": "y"}, on_duplicate="error"))


def test_a_label_of_another_text_is_not_taken_over(make_task, write):
    write("a.csv", "id,text,y\n1,first,\n1,second,spam\n")
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels={"column": "y"}))
    assert corpus.gold.is_empty()


def test_a_later_copy_may_bring_the_label(make_task, write):
    write("a.csv", "text,y\nhi,\nhi,spam\n")
    corpus = read_corpus(make_task(paths="a.csv", labels={"column": "y"}))
    assert corpus.gold["label"].to_list() == [1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("key,label\n1,ham\n", r"gold\.csv: no column 'id'"),
        ("id,y\n1,ham\n", r"gold\.csv: no column 'label'"),
        ("id,label\n,ham\n", "missing_id: 1"),
        ("id,label\n1,ham,x\n", "malformed: 1"),
        (b"id,label\n1,h\xffm\n", "undecodable: 1"),
    ],
)
def test_label_files_that_cannot_be_used(make_task, write, content, problem):
    write("a.csv", "id,text\n1,a\n")
    write("gold.csv", content)
    task = make_task(paths="a.csv", id="id", on_bad_row="error", labels={"file": "gold.csv"})
    with pytest.raises(EpoxyError, match=problem):
        read_corpus(task)


def test_splits_are_fixed_for_ever():
    """Another hash would move hand-labelled items from dev to test."""
    ids = pl.Series(["1", "2", "3", "4", "5", "naïve"])
    expected = ["dev", "test", "dev", "test", "dev", "unlabeled"]
    assert split_of(ids, 0.5, 0.3).to_list() == expected


def test_splits_have_their_shares_and_do_not_move_when_rows_are_added():
    ids = pl.Series([f"item-{position}" for position in range(20_000)])
    split = split_of(ids, 0.2, 0.3)
    shares = dict(split.value_counts(normalize=True).iter_rows())
    assert shares == pytest.approx({"dev": 0.2, "test": 0.3, "unlabeled": 0.5}, abs=0.015)
    assert split_of(ids[5_000:5_100], 0.2, 0.3).equals(split[5_000:5_100])
    assert set(split_of(ids, 1.0, 0.0)) == {"dev"}
    assert set(split_of(ids, 0.4, 0.6)) == {"dev", "test"}


def test_gold_outside_dev_and_test_is_discarded(make_task, write):
    rows = "".join(f"{i},text {i},{'ham' if i % 2 else 'spam'}\n" for i in range(400))
    write("a.csv", "id,text,y\n" + rows)
    labels = {"column": "y", "dev": 0.25, "test": 0.25}
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels=labels))
    split = dict(corpus.items.select("item_id", "split").iter_rows())
    assert {split[i] for i in corpus.gold["item_id"]} == {"dev", "test"}
    assert corpus.gold.height == corpus.report.splits["dev"] + corpus.report.splits["test"]
    assert 120 < corpus.gold.height < 280
    assert all(
        (label == 0) == (int(i) % 2 == 1)
        for i, label in corpus.gold.select("item_id", "label").iter_rows()
    )


def test_a_split_column_replaces_the_shares(make_task, write):
    write("a.csv", "id,text\n1,a\n2,b\n3,c\n4,d\n")
    write("gold.csv", "id,label,split\n1,ham,test\n2,spam,dev\n3,ham,unlabeled\n")
    labels = {"file": "gold.csv", "dev": 0.0, "test": 1.0}
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels=labels))
    assert corpus.gold.rows() == [("1", "test", 0), ("2", "dev", 1)]
    assert corpus.items["split"].to_list() == ["test", "dev", "unlabeled", "unlabeled"]


@pytest.mark.parametrize("split", ["train", "", "DEV"])
def test_no_other_split(make_task, write, split):
    write("a.csv", "id,text\n1,a\n2,b\n")
    write("gold.csv", f"id,label,split\n1,ham,dev\n2,spam,{split}\n")
    with pytest.raises(EpoxyError, match=r"unknown_split: 1(.|\n)*gold\.csv:3: ") as caught:
        read_corpus(make_task(paths="a.csv", id="id", labels={"file": "gold.csv"}))
    assert "dev, test or unlabeled" in caught.value.remedy


def test_one_item_in_two_splits_is_a_conflict(make_task, write):
    write("a.csv", "id,text\n1,a\n2,b\n")
    write("gold.csv", "id,label,split\n1,ham,dev\n1,ham,test\n2,ham,dev\n2,ham,dev\n")
    corpus = read_corpus(make_task(paths="a.csv", id="id", labels={"file": "gold.csv"}))
    assert corpus.gold["split"].to_list() == ["dev", "dev"]
    assert corpus.report.count("conflicting_label") == 1
