"""Whole videos: shots, items, measures, thumbnails."""

import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from epoxy_core.video import read_frames, scan_video
from epoxy_core.video.measures import measure
from epoxy_core.video.pictures import Scaler
from epoxy_core.video.shots import ShotDetector
from epoxy_core.video.table import SCHEMA


def _scenes(moving, lengths, height=48, width=64):
    """Shots of different colours and texture, with a little motion in each."""
    pictures = []
    for i, length in enumerate(lengths):
        tint = np.array([(255, 90, 60), (40, 200, 90), (70, 80, 255), (250, 240, 90)][i % 4])
        shot = [np.roll(picture, 16 * i, axis=0) for picture in moving(length, height, width)]
        pictures += [(picture * 0.25 + tint * 0.7).astype(np.uint8) for picture in shot]
    return pictures


LENGTHS = [40, 25, 60, 30]
CUTS = [0, 40, 65, 125]


def test_shots_with_known_cuts(make, moving, source):
    path = make("clip.mp4", _scenes(moving, LENGTHS))
    scan = scan_video(path, source(items="shot", sample=25, frames_per_item=3))
    assert scan.problem is None
    items = scan.items
    assert items["start"].to_list() == pytest.approx([cut / 25 for cut in CUTS])
    assert items["end"].to_list() == pytest.approx([*(cut / 25 for cut in CUTS[1:]), 155 / 25])
    assert items["shot"].to_list() == [0, 1, 2, 3]
    assert items["shot_seconds"].to_list() == pytest.approx([n / 25 for n in LENGTHS], rel=1e-4)
    assert items["frames"].list.len().to_list() == [3, 3, 3, 3]
    assert items["frame"].to_list() == items["frames"].list.get(1).to_list()
    assert items["shot_position"].to_list() == pytest.approx([0.5] * 4, abs=0.05)


def test_one_shot(make, moving, source):
    scan = scan_video(make("clip.mp4", moving(60)), source(items="shot"))
    assert len(scan.items) == 1
    assert scan.items.row(0, named=True)["end"] == pytest.approx(2.4)


def test_middle_frame_of_every_shot(make, moving, source):
    path = make("clip.mp4", _scenes(moving, LENGTHS))
    for items in ("frame", "shot"):
        found = scan_video(path, source(items=items, sample="shot")).items
        assert found["frames"].to_list() == [[20], [52], [95], [140]]
        assert found["end"].to_list()[:-1] == found["start"].to_list()[1:]


def test_a_flash_is_no_shot():
    detector = ShotDetector(3.0)
    dark, bright = np.full((8, 8, 3), 20, np.uint8), np.full((8, 8, 3), 250, np.uint8)
    seen = [detector.see(bright if i == 30 else dark) for i in range(60)]
    assert [i - detector.delay for i, cut in enumerate(seen) if cut] in ([], [30, 31], [30])


def test_frames_by_rate(make, moving, source):
    pictures = _scenes(moving, LENGTHS)
    path = make("clip.mkv", pictures, codec="ffv1", pixels="bgr0", metadata={"Title": "A b"})
    heard = []
    scan = scan_video(path, source(sample=2, thumbnail=32), heard.append)
    items = scan.items
    assert items.schema == pl.Schema(SCHEMA)
    assert items["start"].to_list() == items["time"].to_list()
    assert items["frame"].to_list() == [0, 13, 25, 38, 50, 63, 75, 88, 100, 113, 125, 138, 150]
    assert items["frames"].to_list() == [[frame] for frame in items["frame"]]
    assert items["shot"].to_list() == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3]
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(6.2)
    assert len(heard) == 7
    assert scan.info.metadata["title"] == "A b"
    assert (scan.info.fps, scan.info.duration) == (25.0, pytest.approx(6.2))
    jpeg = Image.open(io.BytesIO(items["thumbnail"][0]))
    assert (jpeg.format, jpeg.size) == ("JPEG", (32, 24))
    assert np.abs(np.asarray(jpeg).mean(axis=(0, 1)) - pictures[0].mean(axis=(0, 1))).max() < 4


def test_measures_are_those_of_the_frames_given(make, moving, source):
    import av

    path = make("clip.mp4", _scenes(moving, LENGTHS))
    items = scan_video(path, source(items="clip", clip_seconds=2, sample=10)).items
    assert items["start"].to_list() == [0, 2, 4]
    assert items["end"].to_list() == pytest.approx([2, 4, 6])
    scaler = Scaler()
    with av.open(str(path)) as container:
        small = [scaler.small(frame) for frame in container.decode(video=0)]
    for row in items.iter_rows(named=True):
        expected = measure(np.stack([small[i] for i in row["frames"]]))
        assert len(row["frames"]) == 8
        for name, values in expected.items():
            if name in ("black", "flat"):
                assert row[name] == values.all()
            else:
                assert np.allclose(row[name], values.mean(axis=0), atol=1e-5), name


def test_motion_black_and_flat(make, source):
    black = [np.zeros((48, 64, 3), np.uint8)] * 25
    grey = [np.full((48, 64, 3), 128, np.uint8)] * 25
    flicker = [np.full((48, 64, 3), 100 + 50 * (i % 2), np.uint8) for i in range(25)]
    path = make("clip.mkv", black + grey + flicker, codec="ffv1", pixels="bgr0")
    items = scan_video(path, source(sample=1)).items
    assert items["black"].to_list() == [True, False, False]
    assert items["flat"].to_list() == [True, True, True]
    assert items["motion"].to_list()[:2] == pytest.approx([0, 0])
    assert items["motion"][2] == pytest.approx(50 / 255, rel=0.05)
    assert items["brightness"].to_list() == pytest.approx([0, 128 / 255, 100 / 255], abs=0.01)


def test_resolution_hardly_matters(make, moving, source):
    small = moving(10, 128, 128)
    large = [picture.repeat(4, axis=0).repeat(4, axis=1) for picture in small]
    settings = {"codec": "ffv1", "pixels": "bgr0"}
    columns = ["brightness", "saturation", "contrast", "edges", "colorfulness", "dominance"]
    one = scan_video(make("small.mkv", small, **settings), source()).items.select(columns).row(0)
    two = scan_video(make("large.mkv", large, **settings), source()).items.select(columns).row(0)
    assert one == pytest.approx(two, abs=0.02)


def test_captions_beside_the_video(make, moving, source):
    path = make("clip.mp4", moving(75))
    path.with_suffix(".vtt").write_text(
        "WEBVTT\n\n00:00.200 --> 00:01.500\nhello\n\n00:02.500 --> 00:02.800\nbye\n"
    )
    scan = scan_video(path, source())
    assert scan.items["text"].to_list() == ["hello", "hello", "bye"]
    path.with_suffix(".vtt").write_text("no captions here")
    scan = scan_video(path, source())
    assert scan.items["text"].to_list() == ["", "", ""]
    assert "captions clip.vtt" in scan.problem


def test_variable_frame_rate(make, moving, source):
    times = [0, 10, 20, 500, 510, 2000, 2500, 3000, 5000, 5010]
    path = make("screen.mkv", moving(10), codec="ffv1", times=times)
    items = scan_video(path, source(sample=1)).items
    assert items["time"].to_list() == [0, 2, 3, 5]
    assert items["frame"].to_list() == [0, 5, 7, 8]
    assert items["end"].to_list()[:-1] == [2, 3, 5]
    clips = scan_video(path, source(items="clip", clip_seconds=1, sample=1)).items
    assert clips["start"].to_list() == [0, 1, 2, 3, 4]
    assert clips["frames"].to_list() == [[0], [4], [5], [7], [7]]


def test_pixels_that_are_not_square(make, moving, source):
    from fractions import Fraction

    path = make("wide.mkv", moving(5), aspect=Fraction(2, 1))
    scan = scan_video(path, source(thumbnail=128))
    assert scan.info.aspect == 2
    assert Image.open(io.BytesIO(scan.items["thumbnail"][0])).size == (128, 48)


def test_one_frame(make, moving, source):
    path = make("one.mp4", moving(1))
    for items in ("frame", "shot", "clip"):
        scan = scan_video(path, source(items=items))
        assert scan.problem is None
        assert scan.items["frames"].to_list() == [[0]]
        assert scan.items["motion"].to_list() == [0]
    assert len(list(read_frames(path, [0, 1]))) == 1


def test_the_first_of_several_videos_with_pictures_in_time(tmp_path, moving, source):
    import av

    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for stream, size in zip(streams, (64, 32), strict=True):
            stream.width, stream.height, stream.pix_fmt = size, 48, "yuv420p"
        for picture in moving(10):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(picture[:, : stream.width]), format="rgb24"
                )
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    scan = scan_video(path, source())
    assert (scan.info.width, scan.info.height) == (64, 48)
    assert scan.info.duration == pytest.approx(0.4)


def test_sound_longer_than_the_pictures_is_no_problem(make, moving, source):
    scan = scan_video(make("clip.mkv", moving(25), sound=4.0), source())
    assert scan.problem is None
    assert scan.info.has_audio
    assert scan.info.duration == pytest.approx(1.0)


def test_same_result_every_time(make, moving, source):
    path = make("clip.mp4", _scenes(moving, LENGTHS, 144, 192))
    first, second = (scan_video(path, source(sample=5)) for _ in range(2))
    assert first.items.equals(second.items)
    assert first.info == second.info
