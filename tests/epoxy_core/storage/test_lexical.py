import numpy as np
import pytest

from epoxy_core.embed import LexicalVectors
from epoxy_core.errors import EpoxyError
from epoxy_core.storage.lexical import LexicalStore

TEXTS = ["a red car", "a red house", "the blue house", "the blue car", "nothing"]
HASHES = ["h0", "h1", "h2", "h3", "h4"]


@pytest.fixture
def store(tmp_path):
    return LexicalStore(tmp_path / "lexical.safetensors")


def write(store, hashes=HASHES, texts=TEXTS):
    vectorizer = LexicalVectors().fit(texts)
    vectors = vectorizer.transform(texts).astype(np.float16)
    store.write(hashes, vectors, vectorizer)
    return vectors, vectorizer


def test_round_trip(store):
    vectors, vectorizer = write(store)
    read = store.read(HASHES)
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read, vectors)
    assert store.vectorizer().fingerprint == vectorizer.fingerprint
    np.testing.assert_array_equal(store.vectorizer().transform(TEXTS).astype(np.float16), read)


def test_no_columns_and_no_items(store):
    write(store, ["h"], ["word"])
    assert store.read(["h"]).shape == (1, 0)
    write(store, [], [])
    assert store.read([]).shape == (0, 0)


def test_writing_replaces_everything(store):
    write(store)
    vectors, vectorizer = write(store, HASHES[:3], TEXTS[:3])
    np.testing.assert_array_equal(store.read(HASHES[:3]), vectors)
    assert store.vectorizer().fingerprint == vectorizer.fingerprint
    assert [file.name for file in store.path.parent.iterdir()] == ["lexical.safetensors"]


@pytest.mark.parametrize("others", [HASHES[::-1], HASHES[:4], [*HASHES, "h5"], [*HASHES[:4], "x"]])
def test_vectors_of_other_texts_are_refused(others, store):
    write(store)
    with pytest.raises(EpoxyError, match=f"other texts .5 of them, asked for {len(others)}"):
        store.read(others)


def test_none_yet(store):
    for ask in (lambda: store.read(HASHES), store.vectorizer):
        with pytest.raises(EpoxyError, match="no lexical vectors yet"):
            ask()


def test_only_a_vectorizer_is_not_enough(store):
    LexicalVectors().fit(TEXTS).save(store.path)
    with pytest.raises(EpoxyError, match="not a file of lexical vectors"):
        store.read(HASHES)


def test_shapes_that_do_not_fit(store):
    vectors, vectorizer = write(store)
    for hashes, bad in ((HASHES[:2], vectors), (HASHES, vectors[:, :1])):
        with pytest.raises(EpoxyError, match="not"):
            store.write(hashes, bad, vectorizer)
    np.testing.assert_array_equal(store.read(HASHES), vectors)


def test_damaged_file(store):
    write(store)
    store.path.write_bytes(store.path.read_bytes()[:200])
    with pytest.raises(EpoxyError, match="not a file of lexical vectors"):
        store.read(HASHES)
