import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epoxy_core.video.captions import (
    Captions,
    caption_files,
    caption_text,
    captions_of,
    read_captions,
)

VTT = """WEBVTT

NOTE made by hand

STYLE
::cue { color: red }

intro
00:00.500 --> 00:02.000 align:start position:10%
<v Anna>Caf&eacute; <i>ol&#233;</i> &amp; <00:01.000><c>tea</c>

00:00:01.500 --> 00:00:03.000
two
lines

00:00:09.000 --> 00:00:08.000
backwards
"""
SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\n<b>Grüße</b> {\\an8}dort\r\n"


def test_webvtt(tmp_path):
    (tmp_path / "clip.vtt").write_text(VTT, encoding="utf-8")
    captions = read_captions(tmp_path / "clip.mp4")
    assert captions.problem is None
    assert captions.text == ["Café olé & tea", "two\nlines"]
    assert captions.start.tolist() == [0.5, 1.5]
    assert captions.end.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_subrip_in_any_encoding(tmp_path, encoding):
    (tmp_path / "clip.srt").write_bytes(SRT.encode(encoding))
    captions = read_captions(tmp_path / "clip.mp4")
    assert captions.text == ["Grüße dort"]
    assert captions.end.tolist() == [2.5]


def test_the_name_alone_comes_before_languages(tmp_path):
    for name in ("a.b.de.vtt", "a.b.en.srt", "a.b.vtt", "a.b.srt", "a.vtt", "a.b.c.en.vtt"):
        (tmp_path / name).write_text(VTT)
    (tmp_path / "a.b.fr.vtt").mkdir()
    names = [path.name for path in caption_files(tmp_path / "a.b.mp4")]
    assert names == ["a.b.vtt", "a.b.srt", "a.b.de.vtt", "a.b.en.srt"]
    assert caption_files(tmp_path / "other.mp4") == []
    assert caption_files(tmp_path / "gone" / "other.mp4") == []


@pytest.mark.parametrize("content", [b"", b"WEBVTT\n\n", b"\xff\xfe\x00 nonsense", b"no times"])
def test_malformed_captions_are_named_and_the_next_file_is_used(tmp_path, content):
    (tmp_path / "clip.vtt").write_bytes(content)
    captions = read_captions(tmp_path / "clip.mp4")
    assert captions.text == []
    assert "captions clip.vtt" in captions.problem
    assert "\n" not in captions.problem
    (tmp_path / "clip.en.srt").write_text(SRT, encoding="utf-8")
    captions = read_captions(tmp_path / "clip.mp4")
    assert captions.text == ["Grüße dort"]
    assert "captions clip.vtt" in captions.problem


def test_no_captions(tmp_path):
    captions = read_captions(tmp_path / "clip.mp4")
    assert (captions.text, captions.problem) == ([], None)
    assert caption_text(captions, [0.0, 1.0], [1.0, 2.0]) == ["", ""]


def test_lines_that_roll_up_are_given_once():
    captions = Captions(np.array([0.0, 1, 2]), np.array([1.0, 2, 3]), ["one", "one\ntwo", "two"])
    assert caption_text(captions, [0, 2], [3, 3]) == ["one\ntwo", "two"]


SPAN = st.tuples(st.floats(0, 50), st.floats(0.01, 30))


@given(st.lists(SPAN, max_size=30), st.lists(SPAN, max_size=20))
def test_captions_overlap_their_items(cues, items):
    cues = sorted((start, start + length) for start, length in cues)
    names = [str(i) for i in range(len(cues))]
    start, end = np.array(cues).reshape(-1, 2).T
    texts = caption_text(
        Captions(start, end, names), [s for s, _ in items], [s + n for s, n in items]
    )
    for (begin, length), text in zip(items, texts, strict=True):
        expected = [
            name
            for name, (start, end) in zip(names, cues, strict=True)
            if start < begin + length and end > begin
        ]
        assert text == "\n".join(expected)


def test_captions_of_many_videos_are_those_of_each(tmp_path):
    names = ("a.mp4", "a.b.mp4", "b.mkv", "c", "deep/a.mp4")
    beside = (
        "a.vtt",
        "a.b.vtt",
        "a.b.en.srt",
        "a.en.VTT",
        "b.srt",
        "c.vtt",
        "deep/a.x.vtt",
        "d.vtt",
    )
    (tmp_path / "deep").mkdir()
    for name in (*names, *beside):
        (tmp_path / name).write_text("")
    videos = [tmp_path / name for name in names]
    found = captions_of([*videos, tmp_path / "gone" / "a.mp4"])
    assert found == {video: caption_files(video) for video in found}
    assert {video.name: [path.name for path in found[video]] for video in videos[:4]} == {
        "a.mp4": ["a.vtt", "a.b.vtt", "a.en.VTT"],
        "a.b.mp4": ["a.b.vtt", "a.b.en.srt"],
        "b.mkv": ["b.srt"],
        "c": ["c.vtt"],
    }
    assert [path.name for path in found[videos[4]]] == ["a.x.vtt"]
