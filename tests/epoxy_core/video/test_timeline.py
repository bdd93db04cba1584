from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.video.timeline import Holes, Timeline

TIMES = st.lists(st.none() | st.floats(-1e5, 1e5), min_size=1, max_size=60)


@given(TIMES, st.none() | st.floats(-1e5, 1e5), st.floats(0.001, 1))
def test_times_only_rise_from_zero(times, origin, step):
    timeline = Timeline(origin, step)
    placed = [timeline.place(time) for time in times]
    assert placed[0] >= 0
    assert all(later > earlier for earlier, later in pairwise(placed))


@given(st.lists(st.integers(1, 500_000), min_size=1, max_size=50), st.integers(-9000, 9000))
def test_rising_times_stay(steps, start):
    times = [(start + sum(steps[:i])) / 1000 for i in range(len(steps))]
    timeline = Timeline(times[0], 0.04)
    assert [timeline.place(time) for time in times] == [time - times[0] for time in times]


def test_missing_repeated_and_reset_times():
    timeline = Timeline(10.0, 0.04)
    placed = [timeline.place(time) for time in (10.0, None, 10.08, 10.08, 10.0, 10.12)]
    assert placed == pytest.approx([0, 0.04, 0.08, 0.081, 0.082, 0.12])
    joined = [timeline.place(time) for time in (3.0, 3.04, 3.08)]
    assert joined == pytest.approx([0.16, 0.2, 0.24])


def test_a_damaged_time_does_not_move_the_others():
    timeline = Timeline(0.0, 0.04)
    placed = [timeline.place(time) for time in (0.0, 0.04, 83000.0, 0.12, 0.16)]
    assert placed == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert Timeline(0.0, 0.04).place(83000.0) == 0.0
    assert Timeline(0.0, 0.04).place(500.0) == 500.0


def test_without_a_clock_the_first_time_is_zero():
    timeline = Timeline(None, 0.5)
    assert [timeline.place(time) for time in (7.0, 8.0, None)] == [0.0, 1.0, 1.5]
    timeline = Timeline(None, 0.5)
    assert [timeline.place(time) for time in (None, None, 9.0)] == [0.0, 0.5, 1.0]


def test_late_first_frame_keeps_its_time():
    assert Timeline(1.0, 0.04).place(1.5) == 0.5
    assert Timeline(1.0, 0.04).place(0.5) == 0.0


@given(st.lists(st.floats(0.01, 0.019), min_size=20, max_size=60))
def test_frames_in_step_have_no_holes(steps):
    holes, time = Holes(), 0.0
    for step in steps:
        time += step
        holes.see(time)
    assert holes.found() == []
