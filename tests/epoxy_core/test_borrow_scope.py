import polars as pl
import pytest

from epoxy_core.borrow_scope import borrow_scope
from epoxy_core.errors import EpoxyError
from epoxy_core.settings import Extension, LabelModelSettings
from epoxy_core.source_settings import TextSource, VideoSource
from epoxy_core.task import Task

CALLS = pl.DataFrame({"item_id": ["a", "b", "c", "d"], "call": [7, 7, 10, 9], "turn": [0, 1, 0, 0]})


def task(source, borrow_from="any", **label_model):
    return Task(
        name="t",
        source=source,
        classes=["no", "yes"],
        extension=Extension(borrow_from=borrow_from),
        label_model=LabelModelSettings(**label_model),
    )


def test_sequences_are_those_of_the_label_model():
    text = TextSource(paths="x.csv")
    assert borrow_scope(task(text), CALLS) is None
    in_order = {"by": "call", "order": "turn"}
    scope = borrow_scope(task(text, "other_sequences", sequence=in_order), CALLS)
    assert scope.borrow_from == "other_sequences"
    same = scope.sequences[:, None] == scope.sequences
    assert same.astype(int).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    with pytest.raises(EpoxyError, match="no column 'reel'"):
        borrow_scope(task(text, sequence={"by": "reel", "order": "turn"}), CALLS)


@pytest.mark.parametrize("sequence", ["auto", None])
def test_a_video_is_a_sequence_in_order_or_not(sequence):
    frames = CALLS.rename({"call": "video", "turn": "start"})
    video = VideoSource(kind="video", paths="x.mp4")
    scope = borrow_scope(task(video, "same_sequence", sequence=sequence), frames)
    assert len(set(scope.sequences.tolist())) == 3


def test_items_without_sequences_cannot_be_kept_in_them():
    with pytest.raises(ValueError, match="sequence names none"):
        task(TextSource(paths="x.csv"), "same_sequence", sequence=None)
