import numpy as np
import pytest

from epoxy_core.video import read_frames, scan_video
from epoxy_core.video.decode import FrameReader
from epoxy_core.video.pictures import Scaler


@pytest.mark.parametrize("shape", [(48, 64), (143, 175), (33, 17)])
def test_frames_are_those_that_were_written(shape, make, moving):
    pictures = moving(30, *shape)
    path = make("clip.mkv", pictures, codec="ffv1", pixels="bgr0")
    found = dict(read_frames(path, [29, 0, 7, 7, 12]))
    assert list(found) == [0, 7, 12, 29]
    for number, picture in found.items():
        assert picture.dtype == np.uint8
        assert picture.flags["C_CONTIGUOUS"]
        assert np.array_equal(picture, pictures[number])


def test_numbers_count_in_the_order_shown_with_frames_predicted_from_later_ones(make, moving):
    tones = [np.full((48, 64, 3), 8 * i, np.uint8) for i in range(30)]
    path = make("clip.mp4", tones, options={"bf": "4", "b-adapt": "0"})
    seen = [picture.mean() for _, picture in read_frames(path, range(30))]
    assert len(seen) == 30
    assert np.all(np.diff(seen) > 2)


def test_numbers_beyond_the_end_are_not_given(make, moving):
    path = make("clip.mp4", moving(5))
    assert [number for number, _ in read_frames(path, [3, 4, 5, 99])] == [3, 4]
    assert list(read_frames(path, [])) == []


def test_reading_stops_at_the_last_one_asked_for(make, moving):
    frames = read_frames(make("clip.mp4", moving(10)), [1])
    assert next(frames)[0] == 1
    assert next(frames, None) is None


FAST = {"deadline": "realtime", "cpu-used": "8"}
FORMATS = {
    "10 bit": ("clip.mkv", {"codec": "ffv1", "pixels": "yuv420p10le"}),
    "grey": ("clip.mkv", {"codec": "ffv1", "pixels": "gray"}),
    "alpha": ("clip.mov", {"codec": "qtrle", "pixels": "argb"}),
    "palette": ("clip.gif", {"codec": "gif", "pixels": "rgb8"}),
    "animated PNG": ("clip.apng", {"codec": "apng", "pixels": "rgb24"}),
    "interlaced": ("clip.ts", {"codec": "mpeg2video", "options": {"flags": "+ildct+ilme"}}),
    "full range": ("clip.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    "without times": ("clip.h264", {"muxer": "h264"}),
    "vp8": ("clip.webm", {"codec": "libvpx", "options": FAST}),
    "vp9": ("clip.webm", {"codec": "libvpx-vp9", "options": FAST}),
    "4:4:4": ("clip.mkv", {"codec": "libx264", "pixels": "yuv444p"}),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_formats(kind, make, moving, source):
    name, settings = FORMATS[kind]
    pictures = moving(50, 144, 176)
    path = make(name, pictures, **settings)
    scan = scan_video(path, source())
    assert scan.problem is None
    assert scan.info.duration == pytest.approx(2.0, abs=0.08)
    assert scan.items["frame"].to_list()[:2] == [0, 25]
    grey = pictures[25].mean(axis=2)
    (_, seen), *_ = read_frames(path, [25])
    assert seen.shape == pictures[25].shape
    assert np.corrcoef(seen.mean(axis=2).ravel(), grey.ravel())[0, 1] > 0.85


def test_every_frame_is_delivered_by_threads_or_one(make, moving):
    path = make("clip.mp4", moving(60, 144, 176))
    reader = FrameReader(path)
    times = [frame.time for frame in reader]
    assert times == pytest.approx([i / 25 for i in range(60)])
    assert (reader.damaged, reader.broken) == (0, None)
    assert reader.last_packet == pytest.approx(2.4)


def test_memory_of_frames_is_given_back_at_once(make, moving):
    import gc
    import resource

    pictures = moving(2, 720, 1280)
    path = make("clip.mkv", pictures * 20, codec="mjpeg", pixels="yuvj420p")
    scaler = Scaler()
    gc.collect()
    gc.disable()
    try:
        frames = iter(FrameReader(path))
        for _ in range(12):
            scaler.small(next(frames))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for frame in frames:
            scaler.small(frame)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    finally:
        gc.enable()
    assert grown < 28 * 720 * 1280 * 1.5 / 1024 / 2
