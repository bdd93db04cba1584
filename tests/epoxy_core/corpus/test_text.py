"""Whole corpora: every format, every kind of bad row."""

import csv
import hashlib
import io
import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epoxy_core.corpus import read_corpus
from epoxy_core.errors import EpoxyError

TEXTS = {
    "a1": "plain",
    "b2": 'commas, "quotes" and\ttabs',
    "c3": "two\nlines",
    "d4": "naïve — 世界 🎈",
    "e5": "nul\0byte",
    "f6": " outer space ",
    "007": "=1+1",
    "g7": "carriage\rreturn",
}


def as_csv(rows, separator=",", header=("id", "text")):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows] if header else rows)
    return buffer.getvalue()


def write_as(kind, rows, write, tmp_path):
    if kind == "csv":
        write("raw.csv", as_csv(rows))
    elif kind == "tsv":
        write("raw.tsv", as_csv(rows, "\t"))
    elif kind == "jsonl":
        write("raw.jsonl", "".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in rows))
    else:
        pl.DataFrame(rows, schema=["id", "text"], orient="row").write_parquet(
            tmp_path / "raw.parquet"
        )
    return {"paths": f"raw.{kind}", "id": "id"}


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_the_items_are_the_same_whatever_the_format(kind, make_task, write, tmp_path):
    source = write_as(kind, list(TEXTS.items()), write, tmp_path)
    corpus = read_corpus(make_task(**source))
    assert corpus.items.to_dicts() == [
        {
            "item_id": item_id,
            "split": "unlabeled",
            "text": text,
            "content_hash": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        }
        for item_id, text in sorted(TEXTS.items())
    ]
    assert set(corpus.items.dtypes) == {pl.String}
    assert corpus.gold.schema == {"item_id": pl.String, "split": pl.String, "label": pl.Int8}
    assert corpus.report.problems == ()
    assert (corpus.report.rows_read, corpus.report.items) == (8, 8)


def test_a_folder_of_documents_gives_the_same_texts_with_paths_as_ids(make_task, write):
    for item_id, text in TEXTS.items():
        write(f"raw/{item_id}.txt", text)
    items = read_corpus(make_task(paths="raw")).items
    assert dict(items.select("item_id", "text").iter_rows()) == {
        f"raw/{item_id}.txt": text for item_id, text in TEXTS.items()
    }


def test_equal_documents_are_two_items(make_task, write):
    write("raw/a.txt", "same\r\n")
    write("raw/b.txt", "same\n")
    items = read_corpus(make_task(paths="raw")).items
    assert items["item_id"].to_list() == ["raw/a.txt", "raw/b.txt"]
    assert items["text"].to_list() == ["same", "same"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip), min_size=1, unique=True
    ),
    st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
)
def test_any_text_survives_any_format(make_task, write, tmp_path, texts, kind):
    rows = [(f"id{position:03}", text) for position, text in enumerate(texts)]
    items = read_corpus(make_task(**write_as(kind, rows, write, tmp_path))).items
    assert items["text"].to_list() == texts


def test_content_ids_are_content_hashes_and_do_not_depend_on_order(make_task, write):
    write("a.csv", "text\none\ntwo\n")
    first = read_corpus(make_task(paths="a.csv")).items
    write("a.csv", "text\ntwo\none\n")
    assert first.equals(read_corpus(make_task(paths="a.csv")).items)
    assert first["item_id"].to_list() == first["content_hash"].to_list()


def test_other_columns_are_kept_and_typed(make_task, write):
    write("a.csv", "id,text,likes,who\n1,one,3,ann\n2,two,,bob\n")
    items = read_corpus(make_task(paths="a.csv", id="id")).items
    assert items.columns == ["item_id", "split", "text", "content_hash", "likes", "who"]
    assert items["likes"].to_list() == [3, None]


def test_files_are_united_by_column(make_task, write):
    write("a.csv", "id,text,n,mood\n1,one,1,x\n")
    write("b.csv", "text,n,id,place\ntwo,many,2,here\n")
    write("c.jsonl", '{"id": 3, "text": "three", "n": [1]}\n')
    items = read_corpus(make_task(paths=["*.csv", "*.jsonl"], id="id")).items
    assert items["n"].to_list() == ["1", "many", "[1]"]
    assert items["mood"].to_list() == ["x", None, None]
    assert items["place"].to_list() == [None, "here", None]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_without_header_and_without_quotes(make_task, write, kind):
    separator = {"csv": ",", "tsv": "\t"}[kind]
    write(f"a.{kind}", f'ham{separator}"hi\nspam{separator}5" off\n')
    task = make_task(paths=f"a.{kind}", columns=["kind", "text"], quote=None)
    assert sorted(read_corpus(task).items["text"]) == ['"hi', '5" off']


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", "\ufeffid,text\r\n1,café\r\n\r\n2,thé\r\n".encode()),
        ("latin-1", "id,text\n1,café\n2,thé\n".encode("latin-1")),
        ("utf-16", "id,text\n1,café\n2,thé\n".encode("utf-16")),
        ("utf-16-le", "\ufeffid,text\n1,café\n2,thé".encode("utf-16-le")),
    ],
)
def test_encodings_marks_and_line_ends(make_task, write, encoding, content):
    write("a.csv", content)
    corpus = read_corpus(make_task(paths="a.csv", id="id", encoding=encoding))
    assert corpus.items["text"].to_list() == ["café", "thé"]
    assert corpus.items["item_id"].to_list() == ["1", "2"]
    assert corpus.report.problems == ()


def test_jsonl_with_a_mark_blank_lines_nan_and_mixed_values(make_task, write):
    write(
        "a.jsonl",
        "\ufeff"
        '{"id": 1, "text": "one", "n": NaN, "m": 1}\r\n\r\n'
        '{"id": "x", "text": 2, "n": 2.5, "m": {"k": true}}\r\n',
    )
    corpus = read_corpus(make_task(paths="a.jsonl", id="id"))
    assert corpus.items["item_id"].to_list() == ["1", "x"]
    assert corpus.items["text"].to_list() == ["one", "2"]
    assert corpus.items["n"].to_list() == [None, 2.5]
    assert corpus.items["m"].to_list() == ["1", '{"k": true}']
    assert corpus.report.problems == ()


def test_numbers_as_ids_and_texts(make_task, tmp_path):
    frame = pl.DataFrame({"id": [1.0, 2.0], "text": [10, 20]})
    frame.write_parquet(tmp_path / "a.parquet")
    items = read_corpus(make_task(paths="a.parquet", id="id")).items
    assert items["item_id"].to_list() == ["1", "2"]
    assert items["text"].to_list() == ["10", "20"]


def test_a_long_field_and_many_columns(make_task, write):
    long = "x" * 300_000
    write("a.csv", ",".join(["text", *(f"c{i}" for i in range(300))]) + f"\n{long}{',1' * 300}\n")
    items = read_corpus(make_task(paths="a.csv")).items
    assert items["text"].to_list() == [long]
    assert items.width == 304


GOOD = "id,text\n1,one\n"
BAD_ROWS = [
    # kind, file, content, settings, row of the first bad one, items left
    ("undecodable", "a.csv", b"id,text\n1,one\n2,\xff\xfe\n3,three\n", {}, 3, 2),
    ("undecodable", "a.csv", b'id,text\n1,"o\nne"\n2,\xc3\n3,three\n', {}, 4, 2),
    ("undecodable", "a.csv", b"id,text\n1,one\n2,\x81\n", {"encoding": "cp1252"}, 3, 1),
    ("undecodable", "a.jsonl", b'{"id":1,"text":"one"}\n{"id":2,"text":"\xff"}\n', {}, 2, 1),
    ("malformed", "a.csv", GOOD + "2,two,many\n3,three\n", {}, 3, 2),
    ("malformed", "a.csv", GOOD + "\n2\n3,three\n", {}, 4, 2),
    ("malformed", "a.csv", GOOD + '2,"never closed\n3,three\n4,four\n', {}, 3, 3),
    ("malformed", "a.csv", GOOD + '2,"closed" early\n3,three\n', {}, 3, 2),
    ("malformed", "a.tsv", "id\ttext\n1\tone\n2 two\n", {}, 3, 1),
    ("malformed", "a.jsonl", '{"id":1,"text":"one"}\n{"id":2,"text":\n', {}, 2, 1),
    ("malformed", "a.jsonl", '{"id":1,"text":"one"}\n\n[2, "two"]\n', {}, 3, 1),
    ("malformed", "a.jsonl", '{"id":1,"text":"one"}\n' + "[" * 100_000 + "\n", {}, 2, 1),
    ("empty_text", "a.csv", GOOD + "2,\n", {}, 3, 1),
    ("empty_text", "a.csv", GOOD + '2,"  \n "\n', {}, 3, 1),
    ("empty_text", "a.jsonl", '{"id":1,"text":"one"}\n{"id":2,"text":null}\n', {}, 2, 1),
    ("empty_text", "a.jsonl", '{"id":1,"text":"one"}\n{"id":2}\n', {}, 2, 1),
    ("missing_id", "a.csv", GOOD + ",two\n", {}, 3, 1),
    ("missing_id", "a.csv", GOOD + "  ,two\n", {}, 3, 1),
    ("duplicate_id", "a.csv", GOOD + "2,two\n1,one\n", {}, 4, 2),
    ("conflicting_id", "a.csv", GOOD + "2,two\n1,uno\n", {}, 4, 2),
    ("duplicate_text", "a.csv", GOOD + "2,two\n3,one\n", {"id": None}, 4, 2),
]


@pytest.mark.parametrize(("kind", "name", "content", "extra", "row", "left"), BAD_ROWS)
def test_bad_rows_are_counted_or_raised(make_task, write, kind, name, content, extra, row, left):
    write(name, content)
    source = {"paths": name, "id": "id", **extra}
    corpus = read_corpus(make_task(**source))
    assert [problem.kind for problem in corpus.report.problems] == [kind]
    problem = corpus.report.problems[0]
    assert (problem.count, problem.rule) == (1, "skip")
    assert (problem.examples[0].file, problem.examples[0].row) == (name, row)
    assert corpus.items.height == corpus.report.items == left
    assert corpus.report.rows_read == left + 1
    rule = "on_duplicate" if "duplicate" in kind or kind == "conflicting_id" else "on_bad_row"
    with pytest.raises(EpoxyError, match=f"{kind}: 1") as caught:
        read_corpus(make_task(**source, **{rule: "error"}))
    assert f"{name}:{row}: " in str(caught.value)
    assert rule in caught.value.remedy


def test_undecodable_documents_and_bytes(make_task, write, tmp_path):
    write("raw/good.txt", "fine")
    write("raw/bad.txt", b"\xff\xff")
    report = read_corpus(make_task(paths="raw")).report
    assert (report.rows_read, report.items, report.count("undecodable")) == (2, 1, 1)
    pl.DataFrame({"text": [b"fine", b"\xff", None]}).write_parquet(tmp_path / "a.parquet")
    report = read_corpus(make_task(paths="a.parquet")).report
    assert (report.rows_read, report.items) == (3, 1)
    assert [problem.kind for problem in report.problems] == ["undecodable", "empty_text"]


def test_a_replacement_character_in_the_text_is_not_a_fault(make_task, write):
    write("a.csv", "text\nwhat\ufffd\n")
    assert read_corpus(make_task(paths="a.csv")).report.problems == ()


def test_the_first_row_wins_across_files(make_task, write):
    write("a.csv", "id,text\n1,first\n")
    write("b.csv", "id,text\n1,second\n1,first\n")
    corpus = read_corpus(make_task(paths="*.csv", id="id"))
    assert corpus.items["text"].to_list() == ["first"]
    found = {problem.kind: problem.examples[0] for problem in corpus.report.problems}
    assert (found["conflicting_id"].file, found["conflicting_id"].row) == ("b.csv", 2)
    assert (found["duplicate_id"].file, found["duplicate_id"].row) == ("b.csv", 3)


def test_many_bad_rows_keep_few_examples(make_task, write):
    write("a.csv", "text\ngood\n" + ",x\n" * 40)
    problem = read_corpus(make_task(paths="a.csv")).report.problems[0]
    assert (problem.kind, problem.count, len(problem.examples)) == ("malformed", 40, 5)


def test_bad_rows_do_not_change_the_good_ones(make_task, write):
    body = 'id,text,n\n1,"a\r\nb",3\n2,c\rd,\n3,"e ""f""",5\n'
    write("a.csv", body)
    clean = read_corpus(make_task(paths="a.csv", id="id")).items
    write("a.csv", body.encode() + b'4,\xff,1\n\n5,"x\n')
    broken = read_corpus(make_task(paths="a.csv", id="id"))
    assert broken.items.equals(clean)
    assert broken.report.rows_read == 5


@pytest.mark.parametrize(
    ("name", "content", "source", "problem"),
    [
        ("a.csv", "", {}, "no readable header"),
        ("a.csv", "text\n", {}, "no item remains of 0 rows"),
        ("a.csv", "text\n \n", {}, "no item remains of 1 rows"),
        ("a.csv", "x,y\n1,2\n", {"columns": ["text"]}, "2 instead of 1 fields"),
        ("a.csv", "body\nx\n", {}, "no column 'text' .found: 'body'"),
        ("a.csv", "text\nx\n", {"id": "key"}, "no column 'key'"),
        ("a.csv", "text,text\nx,y\n", {}, "two columns are named 'text'"),
        ("a.csv", "x,y\n", {"columns": ["text", "text"]}, "two columns are named 'text'"),
        ("a.csv", "text,split\nx,y\n", {}, "column 'split'"),
        ("a.csv", "text,item_id\nx,y\n", {}, "column 'item_id'"),
        ("a.csv", "body,text\nx,y\n", {"text": "body"}, "column 'text'"),
        ("a.csv", "text,__line\nx,y\n", {}, "two underscores"),
        ("a.csv", "text\nx\n", {"encoding": "klingon"}, "unknown text encoding"),
        ("a.jsonl", "", {}, "no item remains"),
        ("a.jsonl", "{}\n", {}, "no column 'text'"),
        ("a.jsonl", '{"text": ["x"]}\n', {}, "holds List"),
        ("a.parquet", "not parquet", {}, "not a readable Parquet"),
        ("a.txt", "x", {"id": "id"}, "no column 'id'"),
    ],
)
def test_files_that_cannot_be_used(make_task, write, name, content, source, problem):
    write(name, content)
    with pytest.raises(EpoxyError, match=problem) as caught:
        read_corpus(make_task(paths=name, **source))
    assert caught.value.remedy
    assert caught.value.where


def test_a_file_without_the_column_is_named(make_task, write):
    write("a.csv", "text\nx\n")
    write("b.csv", "body\ny\n")
    with pytest.raises(EpoxyError, match=r"^b\.csv: no column 'text'"):
        read_corpus(make_task(paths="*.csv"))


def test_own_names_are_fine_in_their_own_roles(make_task, write):
    write("a.csv", "item_id,text\n1,x\n")
    assert read_corpus(make_task(paths="a.csv", id="item_id")).items["item_id"].to_list() == ["1"]
