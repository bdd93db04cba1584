from itertools import pairwise
from math import floor

from hypothesis import assume, given
from hypothesis import strategies as st

from epoxy_core.video.windows import TOLERANCE, Sampler, Spread, clip_of, keeps_last_clip, spread

STEPS = st.lists(st.floats(0.0011, 3.0), min_size=1, max_size=120)
RATES = st.floats(0.05, 240)


def _rising(steps):
    times, time = [], 0.0
    for step in steps:
        times.append(time)
        time += step
    return times


@given(STEPS, RATES)
def test_sampler_takes_at_most_one_per_period(steps, rate):
    times = _rising(steps)
    sampler = Sampler(rate, times[0])
    taken = [time for time in times if sampler.takes(time)]
    assert taken[0] == times[0]
    gaps = [later - earlier for earlier, later in pairwise(taken)]
    assert all(gap >= 0.5 / rate - 1e-9 for gap in gaps)
    assert len(taken) <= floor((times[-1] - times[0] + TOLERANCE) * rate) + 1


@given(STEPS, RATES)
def test_sampler_waits_no_longer_than_a_period_and_a_half(steps, rate):
    times = _rising(steps)
    sampler = Sampler(rate, times[0])
    last = None
    for time in times:
        if sampler.takes(time):
            last = time
        else:
            assert time - last < 1.5 / rate + TOLERANCE


@given(st.sampled_from([10.0, 24.0, 25.0, 29.97, 30.0, 60.0]), st.integers(1, 400))
def test_sampler_at_the_rate_of_the_frames_takes_all(rate, count):
    sampler = Sampler(rate, 0.0)
    assert all(sampler.takes(round(i / rate, 3)) for i in range(count))


def test_sampler_stays_on_whole_seconds():
    sampler = Sampler(1.0, 0.0)
    times = [i * 1001 / 30000 for i in range(3000)]
    taken = [time for time in times if sampler.takes(time)]
    assert [floor(time + TOLERANCE) for time in taken] == list(range(len(taken)))
    assert max(time % 1 for time in taken[1:] if time % 1 < 0.9) < 0.04


@given(st.integers(1, 5000), st.integers(1, 64))
def test_spread_is_even_and_distinct(count, wanted):
    positions = spread(count, wanted)
    assert len(set(positions)) == len(positions) == min(count, wanted)
    assert positions == sorted(positions)
    assert positions[0] >= 0
    assert positions[-1] < count
    gaps = [b - a for a, b in pairwise(positions)]
    assert not gaps or max(gaps) - min(gaps) <= 1
    assert abs(positions[0] - (count - 1 - positions[-1])) <= 1


@given(st.integers(1, 4000), st.sampled_from([4, 16, 128]))
def test_spread_of_unknown_length_keeps_even_steps(count, capacity):
    kept, made = Spread(capacity), 0
    for i in range(count):
        before = len(kept.kept)
        kept.add(lambda i=i: i)
        made += len(kept.kept) > before
    assert len(kept.kept) >= min(count, capacity // 2)
    assert len(kept.kept) <= capacity
    steps = {b - a for a, b in pairwise(kept.kept)}
    assert len(steps) <= 1
    assert kept.kept[0] == 0
    assert count - kept.kept[-1] <= max(steps, default=count)


@given(st.integers(1, 4000))
def test_middle_of_unknown_length(count):
    kept = Spread(128)
    for i in range(count):
        kept.add(lambda i=i: i)
    (middle,) = kept.chosen(1)
    assert abs(middle - count / 2) <= max(1.0, count / 64)


def test_spread_makes_only_what_it_keeps():
    kept, made = Spread(16), []
    for i in range(10_000):
        kept.add(lambda i=i: made.append(i) or i)
    assert len(made) < 16 * 12


@given(st.floats(0, 1e5), st.floats(0.05, 3600))
def test_clips_hold_their_times(time, seconds):
    clip = clip_of(time, seconds)
    assume(clip >= 0)
    assert clip * seconds - TOLERANCE <= time + 1e-6
    assert time < (clip + 1) * seconds + 1e-6


def test_last_clip():
    assert keeps_last_clip(2.5, 5.0, 3)
    assert not keeps_last_clip(2.4, 5.0, 3)
    assert keeps_last_clip(0.1, 5.0, 1)
