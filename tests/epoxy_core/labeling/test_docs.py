"""What docs/labeling_functions.md shows runs, and says the same in Python and in task.yaml."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from epoxy_core.labeling import (
    LabelingFunction,
    VectorSpace,
    apply_labeling_functions,
    between,
    fingerprint,
    keywords,
    length,
    load_labeling_functions,
    lookup,
    prompts,
    regex,
    similar,
)

PAGE = (Path(__file__).parents[3] / "docs" / "labeling_functions.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| `(\w+\(.*?\))` \| `(\{.*\})` \|$", PAGE, re.MULTILINE)
CLASSES = ["ham", "spam", "news", "film", "show"]
MAKERS = (between, keywords, length, lookup, prompts, regex, similar)

ITEMS = pl.DataFrame(
    {
        "item_id": ["m17", "m203", "m3", "m4"],
        "text": ["dear all, an offer", "AAAA BBBB CCCC", "applause?", "1234567890123 and more"],
        "sender": ["+1", None, "x", "y"],
        "score": [0.9, 0.1, 0.75, 0.0],
        "p_ham": [0.6, 0.2, 0.1, 1.0],
        "p_spam": [0.3, 0.7, 0.1, 0.0],
        "p_news": [0.1, 0.1, 0.8, 0.0],
        "video": "a.mp4",
        "start": [0.0, 1.0, 2.0, 3.0],
        "end": [1.0, 2.0, 3.0, 4.0],
        "saturation": [0.0, 0.05, 0.5, 0.9],
        "black": [True, False, False, False],
        "motion": [0.0, 0.0, 0.01, 0.9],
        "shot_seconds": [1.0, 3.0, 3.0, 3.0],
        "colors": [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.0, 1.0]],
        "call": "c",
        "turn": [1, 2, 3, 4],
    }
)


class Letters:
    """Encodes a text by how often it has each letter."""

    def encode_texts(self, texts, /):
        counts = np.array([[text.count(letter) + 0.1 for letter in "aeiost"] for text in texts])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images, /):
        raise NotImplementedError


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_run_and_vote(block):
    namespace: dict = {}
    exec(block, namespace)
    lfs = [value for value in namespace.values() if isinstance(value, LabelingFunction)]
    assert lfs
    texts = ITEMS["text"].to_list()
    space = VectorSpace(lambda: Letters().encode_texts(texts), Letters())
    results = apply_labeling_functions(lfs, ITEMS, CLASSES, space)
    for lf, result in zip(lfs, results, strict=True):
        assert result.errors == [], lf.name
    assert any((result.votes >= 0).any() for result in results)


@pytest.mark.parametrize(("python", "settings"), ROWS)
def test_ready_made_heuristics_are_the_same_in_yaml(make_task, python, settings):
    files = {"brands_txt": "acme", "slang_csv": "term\ninnit"}
    task = make_task(None, yaml.safe_load(settings), **files)
    (read,) = load_labeling_functions(task)
    written = eval(python, {maker.__name__: maker for maker in MAKERS})
    placed = LabelingFunction(**{**vars(written), "folder": task.folder})
    assert (read.name, read.code_version) == (written.name, fingerprint(placed, task.classes))


def test_the_page_has_them_all():
    assert len(BLOCKS) >= 6
    assert {row[0].partition("(")[0] for row in ROWS} == {maker.__name__ for maker in MAKERS}
