"""After any edits of the items, votes on the new ones give the tables that voting on all gives."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.known_votes import Voted, vote_on_new_items
from assets.lf_votes import lf_code_version, store_votes
from epoxy_core.labeling import (
    LabelingFunction,
    Soft,
    after,
    apply_labeling_functions,
    expression_labeling_function,
    is_row_wise,
    keywords,
    labeling_function,
    lookup,
)
from epoxy_core.storage.database import Database, put
from epoxy_core.storage.item_versions import items_since, items_version, note_changes
from epoxy_core.storage.votes import error_rows, vote_rows
from epoxy_core.task import Task, load_task

TEXT = pl.col("text")
NUMBER = pl.col("number")


@labeling_function
def raises(x):
    if "x" in x.text:
        raise ValueError(x.item_id)
    return {"a": "ham", "b": Soft("spam", 0.75), "c": "no class"}.get(x.text[:1])


@labeling_function
def often_raises(x):
    return "spam" if 1 / (len(x.text) - 2) > 0.5 else None


@labeling_function
def by_number(x):
    return "spam" if repr(x.number) == "-0.0" else None


@expression_labeling_function(vote="spam")
def short():
    return TEXT.str.len_chars() < 2


@expression_labeling_function
def some_no_class():
    return pl.when(TEXT.str.contains("cb")).then(pl.lit("bad")).otherwise(pl.lit("ham"))


@expression_labeling_function(vote="ham")
def numeric():
    return TEXT.str.replace_all("[^x]", "1").cast(pl.Int64) > 11


@expression_labeling_function(vote="spam")
def above_mean():
    return NUMBER.mean() < NUMBER


@expression_labeling_function(vote="ham")
def follows():
    return after(1, of=TEXT == "a", by="text", start="number", end="number")


@expression_labeling_function(vote="ham")
def once():
    return ~TEXT.is_duplicated()


ROW_WISE = [
    raises,
    often_raises,
    by_number,
    short,
    some_no_class,
    numeric,
    keywords("words", "spam", ["a", "bc"], at_least=2),
    lookup("table", table={"ab": "ham", "c": "spam"}),
]
OTHERS = [above_mean, follows, once]
LFS = [dataclasses.replace(lf, code_version=lf.name) for lf in (*ROW_WISE, *OTHERS)]

ITEMS = st.dictionaries(
    st.sampled_from([f"i{number}" for number in range(15)]),
    st.tuples(
        st.text("abcx", min_size=1, max_size=3),
        st.sampled_from([None, 0.0, -0.0, 1.5, float("nan")]),
    ),
    min_size=1,
)


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Task:
    folder = tmp_path_factory.mktemp("task")
    (folder / "task.yaml").write_text(
        "name: t\nsource: {paths: x.csv}\nclasses: [ham, spam]\n"
        "labeling_functions: {max_error_share: 0.7}\n"
    )
    return load_task(folder)


def frame(rows: dict[str, tuple[str, float | None]], split: str = "dev") -> pl.DataFrame:
    schema = {"item_id": pl.String, "text": pl.String, "number": pl.Float64}
    listed = [(name, *values) for name, values in sorted(rows.items())]
    items = pl.DataFrame(listed, schema=schema, orient="row")
    return items.with_columns(split=pl.lit(split), content_hash=pl.col("text"))


def write(database: Database, items: pl.DataFrame) -> None:
    with database.write() as connection:
        note_changes(connection, items)
        put(connection, "items", items)


def vote(task: Task, database: Database, lfs: list[LabelingFunction]) -> dict[str, int]:
    """What the step does; how many items each labeling function voted on."""
    version, ids = items_version(database), database.item_ids()
    codes = {lf.name: lf_code_version(task, lf) for lf in lfs}
    voted = vote_on_new_items(database, lfs, codes, version, ids, task.classes)
    rest = [lf for lf in lfs if lf.name not in voted]
    items = database.query("SELECT * EXCLUDE (split) FROM items ORDER BY item_id")
    results = apply_labeling_functions(rest, items, task.classes)
    voted |= {lf.name: Voted(result, ids) for lf, result in zip(rest, results, strict=True)}
    with database.write() as connection:
        for lf in lfs:
            store_votes(connection, task, lf, ids, voted[lf.name], version)
    return {lf.name: len(voted[lf.name].item_ids) for lf in lfs}


@given(steps=st.lists(ITEMS, min_size=2, max_size=4))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_edits_end_where_a_fresh_run_does(task: Task, tmp_path_factory, steps) -> None:
    database = Database(tmp_path_factory.mktemp("edits") / "t.duckdb")
    for rows in steps:
        items = frame(rows)
        write(database, items)
        vote(task, database, LFS)
        fresh = apply_labeling_functions(LFS, items.drop("split"), task.classes)
        votes = database.query("SELECT * FROM lf_votes ORDER BY item_id")
        errors = database.query("SELECT * FROM lf_errors ORDER BY item_id")
        for lf, result in zip(LFS, fresh, strict=True):
            named = pl.col("lf") == lf.name
            assert errors.filter(named).equals(error_rows(lf.name, result))
            if result.error_share <= task.labeling_functions.max_error_share:
                expected = vote_rows(items["item_id"], lf.name, result.votes, result.strength)
                assert votes.filter(named).equals(expected)


def some(n: int) -> dict[str, tuple[str, float | None]]:
    texts = {row: "ab" if row % 2 else "ac" for row in range(n)} | {3: "cb"}
    return {f"i{row:03d}": (texts[row], float(row)) for row in range(n)}


def test_only_new_and_changed_items_are_voted_on(task: Task, tmp_path: Path) -> None:
    database = Database(tmp_path / "t.duckdb")
    write(database, frame(some(100)))
    lfs = [lf for lf in LFS if lf.name not in ("often_raises", "numeric")]
    assert {vote(task, database, lfs)[lf.name] for lf in lfs} == {100}
    rows = some(103)
    del rows["i007"]
    rows["i004"] = ("a", 4.0)
    write(database, frame(rows, split="test"))
    row_wise = {lf.name for lf in ROW_WISE}
    done = vote(task, database, lfs)  # the new ones, the changed one, one that is an error
    assert {lf.name: done[lf.name] for lf in lfs} == {
        lf.name: 5 if lf.name in row_wise else 102 for lf in lfs
    }
    gone = "SELECT count(*) FROM lf_votes WHERE item_id = 'i007'"
    assert database.query(gone).item() == 0
    del rows["i010"]
    write(database, frame(rows))
    assert vote(task, database, lfs)["short"] == 1
    assert vote(task, database, lfs)["short"] == 101, "who asks again wants to know"


def test_the_split_is_no_change_and_a_columns_type_is_one_of_all(tmp_path: Path) -> None:
    database = Database(tmp_path / "t.duckdb")
    write(database, frame(some(3)))
    write(database, frame(some(3), split="test"))
    assert items_version(database) == 1
    nothing = pl.Series([], dtype=pl.String)
    assert items_since(database, 1, nothing).is_empty()
    assert items_since(database, 1, pl.Series(["i001"])).height == 1
    write(database, frame(some(3)).cast({"number": pl.String}))
    assert items_since(database, 1, nothing).height == 3
    assert "split" not in items_since(database, 1, nothing).columns


def test_an_id_that_comes_back_is_new(tmp_path: Path) -> None:
    database = Database(tmp_path / "t.duckdb")
    for rows in (some(3), some(2), some(3)):
        write(database, frame(rows))
    assert items_version(database) == 3
    assert items_since(database, 2, pl.Series([], dtype=pl.String))["item_id"].to_list() == ["i002"]


def test_votes_that_someone_else_wrote_are_not_relied_on(task: Task, tmp_path: Path) -> None:
    database = Database(tmp_path / "t.duckdb")
    lf = LFS[3]
    write(database, frame(some(10)))
    vote(task, database, [lf])
    with database.write() as connection:
        connection.execute("INSERT INTO lf_votes VALUES ('i001', 'short', 1, 1)")
    write(database, frame(some(11)))
    assert vote(task, database, [lf])[lf.name] == 11
    other = dataclasses.replace(lf, code_version="edited")
    write(database, frame(some(12)))
    assert vote(task, database, [other])[lf.name] == 12


@pytest.mark.parametrize("lf", LFS, ids=lambda lf: lf.name)
def test_what_is_row_wise(lf: LabelingFunction) -> None:
    assert is_row_wise(lf, frame(some(1))) == (lf.name in {lf.name for lf in ROW_WISE})


@pytest.mark.parametrize(
    "value",
    [
        TEXT.map_elements(len, return_dtype=pl.Int64) > 1,
        TEXT == "AnonymousFunction",
        TEXT.str.to_datetime().is_null(),
        NUMBER.rank() > 2,
        NUMBER.shift(1) > 2,
        pl.lit(pl.Series([True])),
        NUMBER.mean().over("text") < NUMBER,
        pl.len() > 3,
        pl.col("missing") > 1,
    ],
)
def test_doubt_is_a_no(value: pl.Expr) -> None:
    lf = expression_labeling_function(name="e", vote=0)(lambda: value)
    assert not is_row_wise(lf, frame(some(1)))
