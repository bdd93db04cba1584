"""Scans of real videos in a real Lance table."""

import os
import signal
import subprocess
import sys
import textwrap

import polars as pl
import pytest
from videos import film

from epoxy_core.corpus import identified, resolve_videos, scan_missing
from epoxy_core.source_settings import VideoSource
from epoxy_core.storage.frames import FrameStore

SOURCE = VideoSource(kind="video", paths=["clips"], sample=2)


@pytest.fixture
def clips(tmp_path):
    """Two films, one of them captioned, and an empty file."""
    film(tmp_path / "clips/a.mp4", "dark", "bright", seconds=1, seed=1)
    film(tmp_path / "clips/b.mp4", "bright", seconds=1, seed=2)
    (tmp_path / "clips/b.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.400\nHello\n")
    (tmp_path / "clips/broken.mp4").write_bytes(b"")
    return tmp_path


@pytest.fixture
def store(tmp_path):
    return FrameStore(tmp_path / "lance", "sampling")


def videos(folder):
    return identified(resolve_videos(folder, SOURCE), folder / "digests.json")


def test_everything_is_there_again(clips, store):
    found = videos(clips)
    ids = [video.identity for video in found]
    assert store.missing(ids) == ids
    assert scan_missing(found, SOURCE, store) == 3
    assert store.missing(ids) == []
    assert scan_missing(found, SOURCE, store) == 0
    scanned = store.load(ids)
    about = {row["identity"]: row for row in scanned.videos.iter_rows(named=True)}
    first, second, broken = (about[video.identity] for video in found)
    assert (first["n_items"], first["width"], first["codec"]) == (4, 64, "h264")
    assert second["problem"] is None
    assert broken["n_items"] == 0
    assert "empty" in broken["problem"]
    assert broken["codec"] is None
    items = scanned.items.filter(identity=found[1].identity)
    assert items["text"].to_list() == ["Hello", ""]
    assert items["start"].is_sorted()
    assert items["frames"].to_list() == [[0], [4]]
    assert scanned.items["content_hash"].n_unique() == 6
    pictures = store.thumbnails([items["content_hash"][0], "no such content"])
    assert [content[:2] for content in pictures.values()] == [b"\xff\xd8"]


def test_only_what_is_asked_for_is_loaded(clips, store):
    found = videos(clips)
    scan_missing(found, SOURCE, store)
    only = store.load([found[1].identity, "unknown"])
    assert only.videos["identity"].to_list() == [found[1].identity]
    assert only.items["identity"].unique().to_list() == [found[1].identity]
    assert store.load([]).items.is_empty()


def test_an_empty_store(store):
    assert store.missing(["a", "a"]) == ["a"]
    assert store.load(["a"]).videos.is_empty()
    assert store.load(["a"]).items.is_empty()
    assert store.thumbnails(["a"]) == {}
    store.compact()


def test_another_sampling_has_tables_of_its_own(clips, store):
    found = videos(clips)
    scan_missing(found, SOURCE, store)
    other = FrameStore(store.path, "another sampling")
    assert len(other.missing([video.identity for video in found])) == 3


def test_captions_change_the_text_and_not_the_content(clips, store):
    before = videos(clips)
    scan_missing(before, SOURCE, store)
    (clips / "clips/b.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.400\nGoodbye\n")
    after = videos(clips)
    assert scan_missing(after, SOURCE, store) == 1
    old, new = (store.load([found[1].identity]).items for found in (before, after))
    assert new["text"][0] == "Goodbye"
    assert old["content_hash"].to_list() == new["content_hash"].to_list()
    assert store.missing([before[1].identity]) == []


def test_a_copy_is_scanned_once(clips, store):
    (clips / "clips/copy.mp4").write_bytes((clips / "clips/a.mp4").read_bytes())
    assert scan_missing(videos(clips), SOURCE, store) == 3


KILLED = """
import os, signal
from pathlib import Path
from epoxy_core.storage import frames

add = frames.FrameStore._add

def killed(self, name, rows):
    if name == self._videos and self._add_count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, name, rows)
    self._add_count += name == self._videos

frames.FrameStore._add, frames.FrameStore._add_count = killed, 0
from test_frames_again import SOURCE, videos
from epoxy_core.corpus import scan_missing
scan_missing(videos(Path({folder!r})), SOURCE, frames.FrameStore(Path({lance!r}), "sampling"))
"""


def test_a_scan_that_is_killed_is_done_again_and_leaves_nothing_twice(clips, store, tmp_path):
    (tmp_path / "test_frames_again.py").symlink_to(__file__)
    script = textwrap.dedent(KILLED).format(folder=str(clips), lance=str(store.path))
    places = os.pathsep.join([str(tmp_path), *sys.path, os.getcwd(), "tests"])
    killed = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    found = videos(clips)
    ids = [video.identity for video in found]
    assert store.missing(ids) == ids[1:]
    assert store.load(ids).items["identity"].unique().to_list() == ids[:1]
    assert scan_missing(found, SOURCE, store) == 2
    items = store.load(ids).items
    assert items.height == 6
    assert items.select(pl.struct("identity", "start").is_unique().all()).item()


def test_progress_reaches_its_end(clips, store):
    seen = []
    scan_missing(videos(clips), SOURCE, store, lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[0][0] == 0
    assert len({total for _, total in seen}) == 1
