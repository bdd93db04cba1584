import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from epoxy_core.embed import LexicalVectors
from epoxy_core.embed import lexical_fit as fitting
from epoxy_core.errors import EpoxyError

NOUNS = ["café", "film", "plot", "actor", "phone", "battery", "screen", "waiter"]
OPINIONS = ["was great", "was awful", "could be better", "broke at once", "made my day", "is ok"]
SHARING = st.text(alphabet="ab é\n", max_size=20)
TEXTS = [f"The {noun} {said}." for noun, said in itertools.product(NOUNS, OPINIONS)]


@pytest.fixture(scope="module")
def fitted():
    return LexicalVectors().fit(TEXTS)


def test_without_reduction_they_are_the_cosines_of_tf_idf(fitted):
    from sklearn.feature_extraction.text import TfidfVectorizer

    reading = {"sublinear_tf": True, "ngram_range": (1, 2), "strip_accents": "unicode"}
    whole = TfidfVectorizer(min_df=2, **reading).fit(TEXTS)
    assert fitted.terms_ == whole.get_feature_names_out().tolist()
    assert fitted.explained_ == pytest.approx(1, abs=1e-5)
    assert 1 < fitted.components_.shape[0] < len(fitted.terms_)
    exact = whole.transform(TEXTS).toarray()
    vectors = fitted.transform(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors @ vectors.T, exact @ exact.T, atol=2e-3)


def test_fewer_dimensions_keep_the_most(fitted):
    small = LexicalVectors(dimensions=5).fit(TEXTS)
    assert small.components_.shape == (5, len(fitted.terms_))
    assert 0.3 < small.explained_ < 0.99
    vectors = small.transform(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_what_is_known_of_new_texts(fitted):
    same, accents, none, empty = fitted.transform(
        ["the film was great", "THE FILM: was great!", "ein völlig anderer Satz", ""]
    )
    np.testing.assert_array_equal(same, accents)
    assert not none.any()
    assert not empty.any()
    cafe = fitted.transform(["café", "cafe"])
    np.testing.assert_array_equal(cafe[0], cafe[1])
    assert cafe[0].any()


def test_the_same_before_and_after_saving(fitted, tmp_path):
    fitted.save(tmp_path / "new" / "lexical.safetensors")
    loaded = LexicalVectors.load(tmp_path / "new" / "lexical.safetensors")
    assert loaded.terms_ == fitted.terms_
    assert (loaded.fingerprint, loaded.explained_) == (fitted.fingerprint, fitted.explained_)
    np.testing.assert_array_equal(loaded.transform(TEXTS), fitted.transform(TEXTS))


def test_neither_order_nor_repeats_matter(fitted):
    assert LexicalVectors().fit(TEXTS[::-1] + TEXTS[:7]).fingerprint == fitted.fingerprint
    assert LexicalVectors().fit(TEXTS[1:]).fingerprint != fitted.fingerprint


def test_the_number_of_threads_does_not_matter():
    numbers = np.random.default_rng(0).zipf(1.3, (1500, 12)) % 5000
    texts = [" ".join(f"w{number}" for number in row) for row in numbers]
    found = set()
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.add(LexicalVectors().fit(texts).fingerprint)
    assert len(found) == 1


def test_another_process_gives_the_same(fitted):
    code = (
        "import json, sys; from epoxy_core.embed import LexicalVectors;"
        "print(LexicalVectors().fit(json.load(sys.stdin)).fingerprint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == fitted.fingerprint


def test_a_vector_does_not_depend_on_its_neighbours(fitted, monkeypatch):
    whole = fitted.transform(TEXTS)
    monkeypatch.setattr("epoxy_core.embed.lexical._TEXTS_AT_ONCE", 7)
    seen = []
    np.testing.assert_array_equal(fitted.transform(TEXTS, lambda *done: seen.append(done)), whole)
    assert seen[0] == (7, len(TEXTS))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    for i in (0, 20):
        np.testing.assert_array_equal(fitted.transform([TEXTS[i]])[0], whole[i])


def test_the_cap_keeps_the_terms_of_most_texts():
    # "the" is in all texts, "was" in 16, and of those in 8 the first by alphabet are kept.
    assert LexicalVectors(max_terms=4).fit(TEXTS).terms_ == ["at", "at once", "the", "was"]


def test_new_texts_move_the_sample_by_their_share():
    old = [f"text {i}" for i in range(2000)]
    new = [f"other {i}" for i in range(200)]
    before, after = (set(fitting.sample(texts, 500)) for texts in (old, old + new))
    assert len(before) == len(after) == 500
    assert len(before - after) == len(after & set(new)) < 80
    assert fitting.sample(old, 500) == fitting.sample(old[::-1], 500)


def test_long_texts_make_a_smaller_sample(monkeypatch):
    monkeypatch.setattr(fitting, "MOST_CHARACTERS", 1000)
    texts = [f"{i:03d} " + "x" * 96 for i in range(50)]
    assert len(fitting.sample(texts, 500)) == 10
    assert len(fitting.sample(["y" * 5000, "z" * 5000], 500)) == 1
    assert fitting.sample([], 500) == []


@pytest.mark.parametrize(
    "texts",
    [[], [""], ["1", "?"], ["one", "two three"], ["same words", "same words"]],
    ids=["no text", "empty", "no words", "none shared", "one text repeated"],
)
def test_without_shared_words_there_are_no_columns(texts, tmp_path):
    none = LexicalVectors().fit(texts)
    assert none.transform(texts).shape == (len(texts), 0)
    none.save(tmp_path / "none")
    assert LexicalVectors.load(tmp_path / "none").transform(["same"]).shape == (1, 0)


def test_a_single_shared_word():
    one = LexicalVectors().fit(["red car", "red house"])
    assert one.terms_ == ["red"]
    np.testing.assert_array_equal(np.abs(one.transform(["red", "blue"])), [[1], [0]])


def test_fitting_again_forgets(fitted):
    twice = LexicalVectors().fit(["red car", "red house"])
    twice.transform(["red"])
    assert twice.fingerprint != fitted.fingerprint
    twice.fit(TEXTS)
    assert twice.fingerprint == fitted.fingerprint
    np.testing.assert_array_equal(twice.transform(TEXTS), fitted.transform(TEXTS))


@settings(max_examples=60, deadline=None)
@given(st.lists(SHARING, max_size=12), st.lists(SHARING | st.text(max_size=30), max_size=4))
def test_any_text_has_a_unit_or_a_zero_vector(texts, others):
    vectors = LexicalVectors().fit(texts).transform(texts + others)
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.isfinite(vectors).all()
    assert (np.isclose(lengths, 1, atol=1e-4) | (lengths == 0)).all()


@pytest.mark.parametrize("content", [None, b"", b"junk" * 9])
def test_no_file_or_a_damaged_one(content, tmp_path):
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(EpoxyError, match=r"no lexical vectors yet|not a file of lexical vectors"):
        LexicalVectors.load(tmp_path / "file")


def test_another_safetensors_file(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weights": np.zeros(3)}, tmp_path / "head.safetensors")
    with pytest.raises(EpoxyError, match="not a file of lexical vectors"):
        LexicalVectors.load(tmp_path / "head.safetensors")


def test_a_failed_save_leaves_what_was_there(fitted, tmp_path):
    file = tmp_path / "lexical.safetensors"
    fitted.save(file)
    (tmp_path / "lexical.safetensors.part").mkdir()
    with pytest.raises(EpoxyError, match="cannot be written"):
        LexicalVectors().fit(TEXTS[:20]).save(file)
    assert LexicalVectors.load(file).fingerprint == fitted.fingerprint
    with pytest.raises(EpoxyError, match="cannot be written"):
        fitted.save(file / "below" / "a file")
