"""Paths to videos, their digests, and fetching several."""

import os
import zipfile

import pytest

from epoxy_core.corpus import (
    fetch_source,
    raw_files,
    resolve_videos,
    source_digest,
    source_files,
    task_videos,
    to_fetch,
)
from epoxy_core.errors import EpoxyError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def videos(make_task):
    """A video task: ``videos("clips")``."""
    return lambda paths, **settings: make_task(kind="video", paths=paths, **settings)


def names(task):
    return [file.name for file in resolve_videos(task.folder, task.video)]


def test_a_folder_stands_for_every_video_below_it(videos, write):
    for name in ("a.mp4", "b.MKV", "deep/c.webm", "notes.txt", "a.vtt", "deep/.hidden.mp4"):
        write(f"clips/{name}", "x")
    assert names(videos("clips")) == ["clips/a.mp4", "clips/b.MKV", "clips/deep/c.webm"]
    assert names(videos("clips/*")) == ["clips/a.mp4", "clips/b.MKV"]
    assert names(videos(["clips/**/*", "clips/a.mp4"])) == names(videos("clips"))


def test_a_file_named_exactly_is_tried_whatever_its_suffix(videos, write):
    write("clips/recording.bin", "x")
    assert names(videos("clips/recording.bin")) == ["clips/recording.bin"]
    for pattern, problem in (("clips", "no video in this folder"), ("*.mp4", "no such file")):
        with pytest.raises(EpoxyError, match=problem):
            names(videos(pattern))


def test_a_video_is_known_by_its_content(videos, write):
    write("a.mp4", "one")
    write("b.mp4", "one")
    write("c.mp4", "another")
    found = {video.name: video for video in task_videos(videos("*.mp4"))}
    assert found["a.mp4"].digest == found["b.mp4"].digest != found["c.mp4"].digest
    assert found["a.mp4"].identity == found["b.mp4"].identity
    write("b.vtt", "WEBVTT\n")
    captioned = {video.name: video for video in task_videos(videos("*.mp4"))}
    assert captioned["b.mp4"].digest == found["b.mp4"].digest
    assert captioned["b.mp4"].identity != found["b.mp4"].identity
    assert captioned["a.mp4"] == found["a.mp4"]


def test_a_caption_does_not_depend_on_the_videos_name(videos, write):
    for name in ("a", "b"):
        write(f"{name}.mp4", "one")
        write(f"{name}.en.vtt", "WEBVTT\n")
    first, second = task_videos(videos("*.mp4"))
    assert first.identity == second.identity


def test_the_source_digest_follows_names_videos_and_captions(videos, write, tmp_path):
    path = write("a.mp4", "one")
    task = videos("*.mp4", sample=2)
    seen = [source_digest(task)]
    os.utime(path, (1, 1))
    assert source_digest(videos("*.mp4", sample=4)) == seen[0]
    write("a.vtt", "WEBVTT\n")
    seen.append(source_digest(task))
    write("a.mp4", "two")
    seen.append(source_digest(task))
    path.rename(tmp_path / "b.mp4")
    seen.append(source_digest(task))
    assert len(set(seen)) == len(seen)


def test_an_unchanged_video_is_not_read_again(videos, write):
    path = write("a.mp4", "one")
    task = videos("*.mp4")
    (before,) = task_videos(task)
    status = path.stat()
    path.write_bytes(b"ONE")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert task_videos(task) == [before]
    os.utime(path)
    assert task_videos(task) != [before]


def test_raw_files_are_videos_captions_and_labels(make_task, write):
    for name in ("clips/a.mp4", "clips/a.srt", "clips/b.srt", "gold.csv"):
        write(name, "x")
    task = make_task(kind="video", paths="clips", labels={"file": "gold.csv"})
    assert [path.name for path in source_files(task)] == ["a.mp4", "a.srt"]
    assert [path.name for path in raw_files(task)] == ["a.mp4", "a.srt", "gold.csv"]


def test_members_of_one_package_are_downloaded_once(make_task, tmp_path, monkeypatch):
    import hashlib

    packages = tmp_path / "packages"
    packages.mkdir()
    contents = {"tiny/a.mp4": b"first", "tiny/b.mp4": b"second"}
    wheel = packages / "tiny_clips-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        info = "tiny_clips-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-clips\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    monkeypatch.setattr("epoxy_core.packages._download", counted := _Counted())
    fetch = [
        {
            "package": "tiny-clips==1.0",
            "member": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "path": f"data/{name[-5:]}",
        }
        for name, content in contents.items()
    ]
    task = make_task(kind="video", paths="data", fetch=fetch)
    assert len(to_fetch(task)) == 2
    assert [path.read_bytes() for path in fetch_source(task)] == [b"first", b"second"]
    assert counted.calls == 1
    assert to_fetch(task) == []
    assert fetch_source(task) == []
    (task.folder / "data" / "a.mp4").unlink()
    assert [path.name for path in fetch_source(task)] == ["a.mp4"]

    broken = [fetch[0], {**fetch[1], "sha256": "0" * 64, "path": "data/c.mp4"}]
    with pytest.raises(EpoxyError, match="has sha256"):
        fetch_source(make_task(kind="video", paths="data", fetch=broken))
    assert sorted(path.name for path in (task.folder / "data").iterdir()) == ["a.mp4", "b.mp4"]


class _Counted:
    """The real download, counted."""

    def __init__(self):
        from epoxy_core import packages

        self.calls, self._download = 0, packages._download

    def __call__(self, *arguments):
        self.calls += 1
        return self._download(*arguments)
