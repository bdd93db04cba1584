"""What a user reads about files that are no videos, broken, or beyond a limit."""

import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from epoxy_core.errors import EpoxyError
from epoxy_core.video import probe, read_frames, scan_video

COPY = "Copy or download it again, or leave it out of source.paths."
LEAVE = "Leave it out of source.paths, or put the video itself there."
GROUPS = {"g": "10"}


def _bytes(name: str, data: bytes):
    def build(folder: Path, make, moving) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return build


def _zip(folder, make, moving):
    with zipfile.ZipFile(folder / "archive.mp4", "w") as archive:
        archive.writestr("clip.txt", "text")
    return folder / "archive.mp4"


def _picture(suffix, kind):
    def build(folder, make, moving):
        path = folder / f"picture{suffix}"
        Image.fromarray(moving(1)[0]).save(path, format=kind)
        return path

    return build


def _folder(folder, make, moving):
    (folder / "clip.mp4").mkdir()
    return folder / "clip.mp4"


def _link(folder, make, moving):
    (folder / "link.mp4").symlink_to("gone.mp4")
    return folder / "link.mp4"


def _pipe(folder, make, moving):
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def _unreadable(folder, make, moving):
    if os.geteuid() == 0:
        return Path("/proc/self/mem")  # root may open every file, but not read this one
    path = make("secret.mp4")
    path.chmod(0)
    return path


def _sound(folder, make, moving, cover=False):
    import av
    from av.stream import Disposition

    path = folder / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        if cover:
            art = container.add_stream("mjpeg", rate=1)
            art.width, art.height, art.pix_fmt = 64, 48, "yuvj420p"
            art.disposition = Disposition.attached_pic
            container.mux(art.encode(av.VideoFrame.from_ndarray(moving(1)[0], format="rgb24")))
            container.mux(art.encode(None))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        silence.sample_rate, silence.pts = 8000, 0
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    return path


def _cover(folder, make, moving):
    return _sound(folder, make, moving, cover=True)


def _without_index(folder, make, moving):
    return _shortened(make("clip.mp4"), 0.5)


def _noise(folder, make, moving):
    path = make("clip.mp4")
    data = bytearray(path.read_bytes())
    start, stop = data.find(b"mdat") + 4, data.find(b"moov") - 4
    data[start:stop] = bytes(i * 31 % 256 for i in range(stop - start))
    path.write_bytes(data)
    return path


def _unknown_codec(folder, make, moving):
    path = make("clip.mkv", codec="ffv1", pixels="yuv420p")
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XXXX"))
    return path


def _line(folder, make, moving):
    return make("line.mkv", [p[:2] for p in moving(5, 48, 128)], codec="ffv1", pixels="yuv444p")


def _shortened(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


KINDS = {
    "empty": (_bytes("clip.mp4", b""), "the file is empty (0 bytes)", COPY),
    "text": (_bytes("clip.mp4", b"to do\n" * 99), "text, not a video", LEAVE),
    "web page": (_bytes("clip.mp4", b"<!doctype html><html>404"), "a web page, not a video", LEAVE),
    "playlist": (_bytes("list.m3u8", b"#EXTM3U\n#EXTINF:1,\na.ts\n"), "text, not a video", LEAVE),
    "list": (
        _bytes("clip.mp4", b"ffconcat version 1.0\nfile other.mp4\n"),
        "text, not a video",
        LEAVE,
    ),
    "zip": (_zip, "a zip archive, not a video", LEAVE),
    "JPEG": (_picture(".mp4", "JPEG"), "a JPEG picture, not a video", LEAVE),
    "WebP": (_picture(".webp", "WEBP"), "a WebP picture, not a video", LEAVE),
    "BMP": (_picture(".bmp", "BMP"), "a still picture (bmp_pipe), not a video", LEAVE),
    "random bytes": (
        _bytes("clip.mp4", np.random.default_rng(1).bytes(4000)),
        "not a video that FFmpeg can open: Invalid data found when processing input",
        COPY,
    ),
    "folder": (
        _folder,
        "a folder where a video should be",
        "Name the folder itself, or its files with a glob, in source.paths.",
    ),
    "broken link": (
        _link,
        "a link to a file that is not there: gone.mp4",
        "Put the video there, or correct the link.",
    ),
    "missing": (lambda folder, *_: folder / "gone.mp4", "no such file", "Correct source.paths."),
    "pipe": (_pipe, "not a regular file", LEAVE),
    "unreadable": (
        _unreadable,
        "the file cannot be read: ",
        "Check its permissions and its disk.",
    ),
    "sound": (_sound, "sound only, no video stream", LEAVE),
    "sound with cover": (_cover, "sound only with a cover picture, no video stream", LEAVE),
    "mp4 without index": (
        _without_index,
        "an MP4 or MOV file without a usable index (moov): it was cut off or never finished",
        COPY,
    ),
    "nothing decodable": (_noise, "not one frame of its h264 video can be decoded", COPY),
    "unknown codec": (
        _unknown_codec,
        "its video codec has no decoder in this FFmpeg",
        "Convert it, to H.264 for instance, or leave it out of source.paths.",
    ),
    "line": (_line, "its pictures of 128 x 2 pixels are lines rather than pictures", LEAVE),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_video(kind, tmp_path, make, moving, source, capfd):
    build, problem, remedy = KINDS[kind]
    path = build(tmp_path, make, moving)
    capfd.readouterr()
    with pytest.raises(EpoxyError) as error:
        scan_video(path, source())
    assert error.value.where == str(path)
    assert error.value.problem.startswith(problem)
    assert error.value.remedy == remedy
    with pytest.raises(EpoxyError):
        probe(path, source())
    assert capfd.readouterr() == ("", "")


LIMITS = {
    "pixels": (
        ("clip.mp4", {}),
        {"max_pixels": 64 * 48 - 1},
        "its pictures of 64 x 48 pixels are beyond source.max_pixels (3071)",
    ),
    "seconds": (
        ("clip.mp4", {}),
        {"max_seconds": 0.5},
        "its duration, 1.0 s, is beyond source.max_seconds (0.5)",
    ),
    "seconds of a stream without duration": (
        ("clip.h264", {"muxer": "h264"}),
        {"max_seconds": 0.5},
        "its duration as decoded so far, 0.5 s, is beyond source.max_seconds (0.5)",
    ),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_beyond_a_limit(kind, make, source):
    (name, settings), limits, problem = LIMITS[kind]
    path = make(name, **settings)
    with pytest.raises(EpoxyError) as error:
        scan_video(path, source(**limits))
    assert error.value.problem == problem
    assert error.value.where == str(path)
    assert "leave it out" in error.value.remedy


def test_limit_holds_when_the_container_lies(make, source):
    path = make("clip.mkv", codec="ffv1")
    data = path.read_bytes()
    at = data.find(b"\x44\x89\x88")  # Matroska's Duration, a double of milliseconds
    assert at > 0
    path.write_bytes(data[: at + 3] + np.array(10.0, ">f8").tobytes() + data[at + 11 :])
    assert probe(path, source(max_seconds=0.5)).duration == pytest.approx(0.01)
    with pytest.raises(EpoxyError, match=r"decoded so far, 0\.5 s, is beyond"):
        scan_video(path, source(max_seconds=0.5))


def test_pictures_that_grow_meet_the_limit(tmp_path, make, moving, source):
    small = make("small.h264", moving(10), muxer="h264").read_bytes()
    large = make("large.h264", moving(10, 96, 128), muxer="h264").read_bytes()
    path = tmp_path / "both.h264"
    path.write_bytes(small + large)
    assert scan_video(path, source()).problem is None
    assert len(list(read_frames(path, range(99)))) == 20
    with pytest.raises(EpoxyError, match="128 x 96 pixels are beyond"):
        scan_video(path, source(max_pixels=64 * 48))


TRUNCATED = {
    "mkv": ("clip.mkv", {}, "cut off after "),
    "mp4 with its index first": (
        "clip.mp4",
        {"muxing": {"movflags": "faststart"}},
        "cut off after ",
    ),
    "avi": ("clip.avi", {"codec": "mpeg4"}, "cut off after "),
    "webm": ("clip.webm", {"codec": "libvpx-vp9"}, "cut off after "),
}


@pytest.mark.parametrize("kind", TRUNCATED)
def test_truncated(kind, make, moving, source):
    name, settings, expected = TRUNCATED[kind]
    whole = make(name, moving(75), options=GROUPS, **settings)
    complete = scan_video(whole, source(sample=25))
    assert complete.problem is None
    assert complete.info.duration == pytest.approx(3.0, abs=0.01)
    rest = scan_video(_shortened(whole, 0.6), source(sample=25))
    assert expected in rest.problem
    assert f"{rest.info.duration:.1f} s of " in rest.problem
    assert 0 < rest.info.duration < 2.9
    assert len(rest.items) == len(list(read_frames(whole, range(75)))) > 5


def _damage(path: Path, seed: int) -> Path:
    data = bytearray(path.read_bytes())
    chance = random.Random(seed)
    for _ in range(20):
        data[chance.randrange(len(data) // 3, len(data) * 3 // 4)] = chance.randrange(256)
    path.write_bytes(data)
    return path


# Arithmetic coding may make other pictures of damage instead of noticing it.
@pytest.mark.parametrize(
    ("name", "codec", "noticed"),
    [
        ("clip.mp4", "libx264", True),
        ("clip.mkv", "libx264", True),
        ("clip.mp4", "libx265", False),
        ("clip.ts", "mpeg2video", True),
        ("clip.avi", "mpeg4", True),
        ("clip.avi", "mjpeg", True),
        ("clip.webm", "libvpx-vp9", False),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_damage_is_counted_and_decoded_the_same_every_time(
    name, codec, noticed, seed, make, moving, source, capfd
):
    options = {
        "libx265": {"x265-params": "log-level=none:info=0"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    }.get(codec, {})
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = make(name, moving(50, 144, 192), codec=codec, options=options, pixels=pixels)
    _damage(path, seed)
    capfd.readouterr()
    first, second, third = (scan_video(path, source(sample=5)) for _ in range(3))
    assert capfd.readouterr().err == ""
    if noticed:
        assert "damaged" in first.problem
    assert first.problem == second.problem == third.problem
    assert first.items.equals(second.items)
    assert first.items.equals(third.items)
    numbers = first.items["frame"].to_list()
    assert [number for number, _ in read_frames(path, numbers)] == numbers


def test_a_hole_is_noticed_where_frames_come_in_step(make, moving, source):
    times = [40 * i for i in range(30)] + [3000 + 40 * i for i in range(30)]
    settings = {"codec": "ffv1", "times": times}
    scan = scan_video(make("hole.mkv", moving(60), **settings), source())
    assert scan.problem == "no frames from 1.2 s to 3.0 s"
    times = np.cumsum(np.random.default_rng(0).choice([40, 400, 900], 60)).tolist()
    scan = scan_video(make("screen.mkv", moving(60), codec="ffv1", times=times), source())
    assert scan.problem is None
