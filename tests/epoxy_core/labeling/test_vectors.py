"""Labeling functions that vote by embeddings, on vectors whose cosines are known."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import (
    Not,
    VectorSpace,
    apply_labeling_function,
    check_examples,
    labeling_function,
    load_labeling_functions,
    prompts,
    similar,
    vector_labeling_function,
)
from epoxy_core.labeling.vectors import best_cosine

CLASSES = ["ham", "spam", "news"]


def direction(*degrees):
    """Unit vectors in the plane."""
    angles = np.deg2rad(np.array(degrees, float))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


class Compass:
    """Encodes "30" as the direction of 30 degrees, and an image by its brightness."""

    def __init__(self):
        self.asked = []

    def encode_texts(self, texts, /):
        self.asked += texts
        return direction(*map(float, texts))

    def encode_images(self, images, /):
        self.asked += [image.shape for image in images]
        return direction(*(float(image.mean()) for image in images))


class Deaf(Compass):
    """As a checkpoint without a text tower."""

    def encode_texts(self, texts, /):
        raise EpoxyError("this checkpoint has no text tower", remedy="Take another.")


ANGLES = [0, 10, 40, 80, 90]
ITEMS = pl.DataFrame({"item_id": ["a", "b", "c", "d", "e"], "text": [None] * 5, "n": range(5)})


def space(encoder=None):
    return VectorSpace(lambda: direction(*ANGLES), encoder)


def votes(lf, encoder=None):
    result = apply_labeling_function(lf, ITEMS, CLASSES, space(encoder))
    assert result.errors == []
    return result.votes.tolist()


def error(lf, encoder=None):
    result = apply_labeling_function(lf, ITEMS, CLASSES, space(encoder))
    assert (result.n_errors, result.votes.tolist()) == (5, [-1] * 5)
    return result.errors[0].error


def cosine(degrees):
    return math.cos(math.radians(degrees))


def test_like_an_item_within_a_radius_that_includes_its_bound():
    assert votes(similar("s", "spam", items=["b"], at_least=cosine(30))) == [1, 1, 1, -1, -1]
    assert votes(similar("s", "spam", items=["b"], at_least=cosine(29))) == [1, 1, -1, -1, -1]
    assert votes(similar("s", "spam", items=["e", "a"], at_least=1)) == [1, -1, -1, -1, 1]
    assert votes(similar("s", Not("news"), items=["e"], at_least=0.9)) == [-1, -1, -1, 5, 5]
    soft = similar("s", "spam", items=["e"], at_least=0.9, probability=0.75)
    assert apply_labeling_function(soft, ITEMS, CLASSES, space()).strength.tolist()[2:] == [
        1,
        0.75,
        0.75,
    ]


def test_like_texts():
    assert votes(similar("s", "spam", texts=["85"], at_least=0.99), Compass()) == [-1] * 3 + [1, 1]


@given(
    st.lists(st.integers(0, 360), min_size=1, max_size=5),
    st.lists(st.integers(0, 360), min_size=1, max_size=9),
)
def test_best_cosine_equals_a_loop(examples, angles):
    found = best_cosine(direction(*angles), direction(*examples))
    expected = [max(cosine(angle - example) for example in examples) for angle in angles]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_best_cosine_of_many_rows():
    vectors = direction(*np.linspace(0, 90, 70_000))
    np.testing.assert_allclose(best_cosine(vectors, direction(0)), vectors[:, 0], atol=1e-6)


def test_prompts_against_others_and_by_themselves():
    near_zero = prompts("p", "ham", ["10", "350"], against=["60", "90"])  # means 0
    assert votes(near_zero, Compass()) == [0, 0, -1, -1, -1]
    # 40 degrees: cosine 0.766 to the prompts' mean, 0.940 to the best other.
    wide = prompts("p", "ham", ["10", "350"], against=["60", "90"], margin=-0.2)
    assert votes(wide, Compass()) == [0, 0, 0, -1, -1]
    assert votes(prompts("p", "ham", ["0"], at_least=0.7), Compass()) == [0, 0, 0, -1, -1]
    both = prompts("p", "ham", ["0"], against=["20"], at_least=0.99)
    assert votes(both, Compass()) == [0, -1, -1, -1, -1]
    on_the_bound = prompts("p", "ham", ["0"], against=["20"])
    assert votes(on_the_bound, Compass()) == [0, 0, -1, -1, -1]


def test_every_query_is_encoded_once():
    encoder = Compass()
    known = VectorSpace(lambda: direction(*ANGLES), encoder)
    for lf in (
        prompts("p", 0, ["1", "2"], against=["3"]),
        prompts("q", 0, ["2", "4"], against=["3"], margin=0.1),
        similar("r", 0, texts=["4", "5"]),
    ):
        apply_labeling_function(lf, ITEMS, CLASSES, known)
    assert encoder.asked == ["1", "2", "3", "4", "5"]
    image = np.zeros((2, 3, 3), np.uint8)
    for shown in ([image], [image, image + 1], [image.reshape(3, 2, 3)]):
        known.encode_images(shown)
    assert encoder.asked[5:] == [(2, 3, 3), (2, 3, 3), (3, 2, 3)]
    np.testing.assert_allclose(known.encode_texts(["5", "1", "5"]), direction(5, 1, 5))


def test_vectors_are_loaded_only_for_a_function_that_needs_them():
    def load():
        raise AssertionError

    lazy = VectorSpace(load)
    lf = labeling_function(name="plain")(lambda x: "ham")
    assert apply_labeling_function(lf, ITEMS, CLASSES, lazy).votes.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("value", "vote", "expected"),
    [
        (np.array(["ham", "news", "spam", "ham", "ham"]), None, [0, 2, 1, 0, 0]),
        (np.array(["ham", None, None, None, "news"], object), None, [0, -1, -1, -1, 2]),
        (["ham", None, None, None, "news"], None, [0, -1, -1, -1, 2]),
        (np.array([0, -1, 2, -1, 1]), None, [0, -1, 2, -1, 1]),
        (pl.Series([None, "spam", None, None, None]), None, [-1, 1, -1, -1, -1]),
        (np.array([True, False, False, True, False]), "spam", [1, -1, -1, 1, -1]),
        (pl.Series([True, None, False, None, None]), Not("ham"), [3, -1, -1, -1, -1]),
        ([None] * 5, None, [-1] * 5),
    ],
)
def test_what_a_function_of_vectors_may_return(value, vote, expected):
    @vector_labeling_function(vote=vote)
    def own(vectors, items):
        """All at once."""
        assert vectors.shape == (5, 2)
        assert items["n"].to_list() == list(range(5))
        return value

    assert (own.kind, own.needs_vectors, own.description) == ("vector", True, "All at once.")
    assert votes(own) == expected


def test_probabilities_by_item():
    @vector_labeling_function
    def own(vectors, items):
        return pl.DataFrame({"vote": ["ham"] * 5, "probability": vectors[:, 0]}).to_struct()

    result = apply_labeling_function(own, ITEMS, CLASSES, space())
    assert result.n_errors == 2  # below that of a guess
    np.testing.assert_allclose(result.strength[:3], direction(*ANGLES)[:3, 0])


@pytest.mark.parametrize(
    ("made", "vote", "problem"),
    [
        (lambda vectors: vectors[:, 0], None, "gives Float32, which is not a vote"),
        (lambda vectors: vectors[:, 0], "spam", "gives Float32; with vote='spam' it must give a"),
        (lambda vectors: vectors[:, 0] > 0.5, None, "give it vote='class'"),
        (lambda vectors: vectors > 0.5, "spam", "it must give a Boolean"),
        (lambda vectors: ["ham"], None, "ValueError: returned 1 votes for 5 items"),
        (lambda vectors: "spam", None, "TypeError: returned str, not an array"),
        (lambda vectors: None, None, "TypeError: returned NoneType, not an array"),
        (lambda vectors: vectors.__imul__(2), None, "read-only"),
        (lambda vectors: vectors @ np.ones(3), None, "ValueError"),
    ],
)
def test_what_it_may_not(made, vote, problem):
    own = vector_labeling_function(name="own", vote=vote)(lambda vectors, items: made(vectors))
    assert problem in error(own)


def test_one_wrong_vote_is_one_error():
    own = vector_labeling_function(name="own")(lambda vectors, items: ["ham", "hma", *[None] * 3])
    result = apply_labeling_function(own, ITEMS, CLASSES, space())
    assert (result.votes.tolist(), result.n_errors) == ([0, -1, -1, -1, -1], 1)
    assert result.errors[0].item_id == "b"


def test_problems_are_told_in_words():
    unknown = error(similar("s", "spam", items=["x", "a", "y"]))
    assert unknown.startswith("2 of the 3 example items do not exist: 'x', 'y' → Give ids")
    assert error(prompts("p", 0, ["0"], at_least=0.5), Deaf()) == (
        "this checkpoint has no text tower → Take another."
    )
    assert "no encoder" in error(similar("s", "spam", texts=["0"]))
    with pytest.raises(EpoxyError, match="'s' votes by the items' embeddings, and there are none"):
        apply_labeling_function(similar("s", "spam", items=["a"]), ITEMS, CLASSES)
    short = VectorSpace(lambda: direction(0, 1))
    result = apply_labeling_function(similar("s", 1, items=["a"]), ITEMS, CLASSES, short)
    assert "2 vectors for 5 items" in result.errors[0].error

    class Other(Compass):
        def encode_texts(self, texts, /):
            return np.ones((len(texts), 3), np.float32)

    assert "2 dimensions" in error(similar("s", 1, texts=["0"]), Other())
    with pytest.raises(EpoxyError, match="two arguments"):
        vector_labeling_function(name="f")(lambda vectors: None)
    with pytest.raises(EpoxyError, match="not a function of one item"):
        similar("s", "spam", items=["a"])("an item")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: similar("s", "spam"), "exactly one of `items`, `texts` and `images`"),
        (lambda: similar("s", "spam", items=["a"], texts=["b"]), "exactly one of"),
        (lambda: similar("s", "spam", items="a"), r"one text, not a list.*\n.*items=\['a'\]"),
        (lambda: similar("s", "spam", items=[]), "`items` is empty"),
        (lambda: similar("s", "spam", texts=[" "]), "' ' in `texts` is not a text"),
        (lambda: similar("s", "spam", items=[3]), "3 in `items`"),
        (lambda: similar("s", "spam", items=["a"], at_least=1.5), "`at_least` is 1.5"),
        (lambda: similar("s", "spam", items=["a"], at_least=math.nan), "`at_least` is nan"),
        (lambda: prompts("s", "spam", ["a"]), "neither `against` nor `at_least`"),
        (lambda: prompts("s", "spam", ["a"], margin=0.1, at_least=0.2), "`margin` compares"),
        (lambda: prompts("s", "spam", ["a"], against=["b", "a"]), "'a' is in `prompts` and"),
        (lambda: prompts("s", "spam", ["a"], against=["b"], margin="big"), "`margin` is 'big'"),
        (lambda: prompts("s", "spam", ["a"], at_least=-2), "`at_least` is -2"),
        (lambda: prompts("s", "spam", [], at_least=0.2), "`prompts` is empty"),
    ],
)
def test_bad_settings_name_the_heuristic(make, problem):
    with pytest.raises(EpoxyError, match=problem) as caught:
        make()
    assert "heuristic 's'" in str(caught.value)


PYTHON = """
from epoxy_core.labeling import between, prompts, similar
lfs = [
    similar("s", "spam", items=["b", "a"], at_least=1),
    similar("i", "spam", images=["like.png"]),
    prompts("p", "ham", ["x"], against=["z", "y"], margin=0.25),
    prompts("q", "ham", ["x"], at_least=0.3),
    between("b", "ham", "brightness", min=0, max=0.5),
]
"""
YAML = [
    {"name": "s", "type": "similar", "vote": "spam", "items": ["a", "b"], "at_least": 1.0},
    {"name": "i", "type": "similar", "vote": "spam", "images": ["like.png"]},
    {"name": "p", "type": "prompts", "vote": 0, "prompts": ["x"], "against": ["y", "z"],
     "margin": 0.25},
    {"name": "q", "type": "prompts", "vote": "ham", "prompts": ["x"], "at_least": 0.3},
    {"name": "b", "type": "between", "vote": "ham", "column": "brightness", "min": 0, "max": 0.5},
]  # fmt: skip


def test_yaml_equals_python_and_what_is_given_counts(make_task):
    python = load_labeling_functions(make_task(PYTHON, like_png="1"))
    yaml = load_labeling_functions(make_task(None, *YAML, folder="yaml", like_png="1"))
    versions = [lf.code_version for lf in yaml]
    assert [lf.code_version for lf in python] == versions
    assert len(set(versions)) == 5
    assert [lf.needs_vectors for lf in yaml] == [True] * 4 + [False]
    edits = [
        {"items": ["a", "c"]},
        {"images": ["like.png", "other.png"]},
        {"margin": 0.2},
        {"at_least": 0.2},
        {"max": 0.6},
    ]
    edited = [{**old, **edit} for old, edit in zip(YAML, edits, strict=True)]
    changed = load_labeling_functions(
        make_task(None, *edited, folder="edited", like_png="1", other_png="1")
    )
    assert all(a.code_version != b for a, b in zip(changed, versions, strict=True))
    pixels = load_labeling_functions(make_task(None, *YAML, folder="yaml", like_png="2"))
    assert [
        lf.name for lf, old in zip(pixels, versions, strict=True) if lf.code_version != old
    ] == ["i"]
    with pytest.raises(EpoxyError, match=r"'i' declares cannot be read"):
        load_labeling_functions(make_task(None, *YAML, folder="no image"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"items": "a"}, "items: .*list"),
        ({"at_least": "near"}, r"at_least: .*\(found 'near'\)"),
        ({"at_least": 7}, r"`at_least` is 7"),
        ({"column": "text"}, "column: no such setting"),
        ({"type": "prompts"}, "prompts: Field required"),
        ({"type": "between", "items": None}, "column: Field required"),
        ({"type": "between", "items": None, "column": "n", "min": 2, "max": 1}, "from 2.0 to 1.0"),
        ({"type": "like"}, "there is no type 'like'"),
    ],
)
def test_errors_of_yaml(make_task, change, problem):
    made = {"name": "s", "type": "similar", "vote": "spam", "items": ["a"]} | change
    with pytest.raises(EpoxyError, match=problem) as caught:
        load_labeling_functions(make_task(None, {k: v for k, v in made.items() if v is not None}))
    assert "(s)" in str(caught.value)
    assert caught.value.remedy


def saved(folder, name, gray, size=(4, 2), **options):
    Image.new("RGB", size, (gray, gray, gray)).save(folder / name, **options)


def test_images_upright_and_by_content(make_task):
    task = make_task(None, {**YAML[1], "images": ["like.png", "turned.jpg"], "at_least": 0.999},
                     like_png="", turned_jpg="")  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    saved(task.folder, "like.png", 40)
    saved(task.folder, "turned.jpg", 0, exif=exif)
    (lf,) = load_labeling_functions(task)
    encoder = Compass()
    assert votes(lf, encoder) == [1, -1, 1, -1, -1]
    assert encoder.asked == [(2, 4, 3), (4, 2, 3)]
    check_examples(lf, ITEMS)
    sound = (task.folder / "turned.jpg").read_bytes()
    for content in (b"", b"no image", sound[: len(sound) // 2]):
        (task.folder / "turned.jpg").write_bytes(content)
        assert "turned.jpg: not an image that can be read" in error(lf, encoder)
        with pytest.raises(EpoxyError, match=r"'i': .*turned\.jpg: not an image") as caught:
            check_examples(lf, ITEMS)
        assert "task.yaml:" in caught.value.where


def test_examples_are_looked_at_without_an_encoder():
    with pytest.raises(EpoxyError, match="'s': 1 of the 1 example items do not exist: 'z'"):
        check_examples(similar("s", "spam", items=["z"]), ITEMS)
    check_examples(similar("s", "spam", items=["a"]), ITEMS)
    check_examples(prompts("p", "ham", ["0"], at_least=0), ITEMS)
