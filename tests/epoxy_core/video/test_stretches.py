"""Items as pure functions of the times, cuts and changes of frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.source_settings import VideoSource
from epoxy_core.video.stretches import Passing, Sample, cut_into_items

NOTHING = np.zeros((1, 1, 3), np.uint8)
FRAMES = st.lists(
    st.tuples(st.floats(0.002, 2.0), st.booleans(), st.floats(0, 1)), min_size=1, max_size=80
)


def passing(frames, first=0.0):
    passed, time = [], first
    for number, (step, cut, change) in enumerate(frames):
        sample = Sample(number, time, NOTHING, b"")
        since = change if number else None
        passed.append(Passing(time, time + step, cut or not number, since, lambda s=sample: s))
        time += step
    return passed


def items_of(passed, **settings):
    return list(cut_into_items(passed, VideoSource(kind="video", paths=["v"], **settings)))


SETTINGS = st.one_of(
    st.fixed_dictionaries({"items": st.just("frame"), "sample": st.floats(0.1, 60)}),
    st.fixed_dictionaries(
        {
            "items": st.just("shot"),
            "sample": st.just("shot") | st.floats(0.1, 60),
            "frames_per_item": st.integers(1, 64),
        }
    ),
    st.just({"items": "frame", "sample": "shot"}),
)


@given(FRAMES, SETTINGS, st.floats(0, 5))
def test_frames_and_shots_partition_time(frames, settings, first):
    passed = passing(frames, first)
    items = items_of(passed, **settings)
    assert items[0].start == passed[0].time
    assert items[-1].end == passed[-1].end
    for earlier, later in pairwise(items):
        assert earlier.end == later.start
    for item in items:
        assert item.start < item.end
        assert 1 <= len(item.samples) <= settings.get("frames_per_item", 1)
        assert all(item.start <= sample.time < item.end for sample in item.samples)
        times = [sample.time for sample in item.samples]
        assert times == sorted(set(times))


@given(FRAMES, SETTINGS)
def test_motion_is_the_mean_change_without_cuts(frames, settings):
    passed = passing(frames)
    for item in items_of(passed, **settings):
        changes = [
            frame.change
            for frame in passed
            if item.start <= frame.time < item.end and not frame.cut
        ]
        assert item.motion == pytest.approx(np.mean(changes) if changes else 0.0)


@given(FRAMES, st.floats(0.2, 20), st.floats(0.1, 60), st.integers(1, 64), st.floats(0, 30))
def test_clips_follow_each_other(frames, seconds, rate, wanted, first):
    passed = passing(frames, first)
    items = items_of(
        passed, items="clip", sample=rate, clip_seconds=seconds, frames_per_item=wanted
    )
    assert items
    assert items[0].start <= passed[0].time + 0.001
    for earlier, later in pairwise(items):
        assert earlier.end == later.start
        assert earlier.end - earlier.start == pytest.approx(seconds)
    assert -1e-9 <= passed[-1].end - items[-1].end < seconds / 2 + 0.002
    for item in items:
        assert 1 <= len(item.samples) <= wanted
        assert all(sample.time < item.end for sample in item.samples)


def test_shots_end_at_cuts():
    frames = [(1.0, i in (3, 7), 0.5) for i in range(10)]
    items = items_of(passing(frames), items="shot", sample=1, frames_per_item=2)
    assert [(item.start, item.end) for item in items] == [(0, 3), (3, 7), (7, 10)]
    assert [[s.number for s in item.samples] for item in items] == [[0, 2], [4, 6], [7, 9]]
    middle = items_of(passing(frames), items="frame", sample="shot")
    assert [(item.start, item.end) for item in middle] == [(0, 3), (3, 7), (7, 10)]
    assert [[s.number for s in item.samples] for item in middle] == [[1], [5], [8]]


def test_clip_without_a_new_frame_shows_the_last():
    frames = [(1.0, False, 0.5), (9.0, False, 0.5), (1.0, False, 0.5)]
    items = items_of(passing(frames), items="clip", sample=1, clip_seconds=2)
    assert [(item.start, item.end) for item in items] == [
        (0, 2),
        (2, 4),
        (4, 6),
        (6, 8),
        (8, 10),
        (10, 11),
    ]
    assert [[s.number for s in item.samples] for item in items] == [[0, 1], [1], [1], [1], [1], [2]]
    assert [item.motion for item in items] == [0.5, 0, 0, 0, 0, 0.5]


def test_last_clip_is_left_out_if_short_unless_it_is_the_only_one():
    frames = [(0.25, False, 0.0)] * 23
    items = items_of(passing(frames), items="clip", sample=4, clip_seconds=2)
    assert [(item.start, item.end) for item in items] == [(0, 2), (2, 4), (4, 5.75)]
    items = items_of(passing(frames[:19]), items="clip", sample=4, clip_seconds=2)
    assert [(item.start, item.end) for item in items] == [(0, 2), (2, 4)]
    items = items_of(passing(frames[:2]), items="clip", sample=4, clip_seconds=2)
    assert [(item.start, item.end) for item in items] == [(0, 0.5)]
