"""Examples and prompts reach the encoder that a task asks for, and so do its refusals."""

import numpy as np
import polars as pl
import pytest

from assets.space import Queries
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import VectorSpace, apply_labeling_function, prompts
from epoxy_core.task import load_task

VIDEO = """\
name: clips
source: {kind: video, paths: data/*.mp4}
classes: [animated, live]
"""


def test_texts_are_encoded_as_the_items_are(template):
    queries = Queries(load_task(template))
    prize, call = queries.encode_texts(["you have won a prize", "call me at home"])
    assert np.linalg.norm(prize) == pytest.approx(1, abs=1e-5)
    (near,) = queries.encode_texts(["claim the prize you won"])
    assert near @ prize > near @ call + 0.2
    with pytest.raises(EpoxyError, match=r"reads texts, and is given images.*\n.*`items` or"):
        queries.encode_images([np.zeros((8, 8, 3), np.uint8)])


def test_a_checkpoint_without_a_text_tower_is_an_error_of_the_function_that_prompts(tmp_path):
    (tmp_path / "task.yaml").write_text(VIDEO)
    space = VectorSpace(lambda: np.ones((2, 1), np.float32), Queries(load_task(tmp_path)))
    items = pl.DataFrame({"item_id": ["a", "b"]})
    lf = prompts("drawn", "animated", ["a cartoon"], against=["a photograph"])
    result = apply_labeling_function(lf, items, ["animated", "live"], space)
    assert result.n_errors == 2
    assert "image tower only" in result.errors[0].error
    assert "→ Use a checkpoint with both towers" in result.errors[0].error
