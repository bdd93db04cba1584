"""``lexical``: vectors of all items, after a change of texts those that a fresh run gives."""

import numpy as np
import polars as pl
import pytest
from support import bring_up_to_date, messages, ran

from assets.store import Store
from epoxy_core.embed import LexicalVectors
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home
from epoxy_core.task import load_task


def opened(folder, home):
    """The task's items, and its lexical vectors as stored."""
    task, store = load_task(folder), Store(home=str(home.root))
    items = store.database(task).query("SELECT content_hash, text FROM items ORDER BY item_id")
    return items, store.lexical(task)


def test_stored_as_a_fit_of_all_texts_gives_them(finished):
    items, lexical = opened(*finished)
    vectorizer = LexicalVectors().fit(items["text"].to_list())
    stored = lexical.read(items["content_hash"].to_list())
    assert stored.shape == (items.height, len(vectorizer.components_))
    assert lexical.vectorizer().fingerprint == vectorizer.fingerprint
    expected = vectorizer.transform(items["text"].to_list()).astype(np.float16)
    np.testing.assert_array_equal(stored, expected)


def test_the_same_as_a_fresh_run_gives(finished, tmp_path):
    folder, home = finished
    before, _ = opened(folder, home)
    messages(range(70000, 70003)).write_csv(folder / "data" / "second.csv")
    rows = pl.read_csv(folder / "data" / "first.csv").slice(1)
    text = pl.when(pl.col("id") == rows["id"][0]).then(pl.lit("a free trip")).otherwise("text")
    rows.with_columns(text=text).write_csv(folder / "data" / "first.csv")
    assert "lexical" in ran(bring_up_to_date(folder, home))
    fresh = Home(tmp_path / "fresh")
    assert not bring_up_to_date(folder, fresh).failures
    found = []
    for place in (home, fresh):
        items, lexical = opened(folder, place)
        found.append(lexical.read(items["content_hash"].to_list()))
    np.testing.assert_array_equal(*found)
    with pytest.raises(EpoxyError, match="of other texts"):
        lexical.read(before["content_hash"].to_list())


def test_texts_that_share_no_word(project):
    folder, home = project
    texts = [f"{chr(97 + i % 26) * 2}{i}" for i in range(40)]
    (folder / "data" / "first.csv").unlink()
    rows = {"id": range(40), "text": texts, "label": ["ham", "spam"] * 20}
    pl.DataFrame(rows).write_csv(folder / "data" / "odd.csv")
    assert "lexical" in ran(bring_up_to_date(folder, home))
    items, lexical = opened(folder, home)
    assert lexical.read(items["content_hash"].to_list()).shape == (40, 0)
