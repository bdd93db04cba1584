"""Scans to items, gold labels of videos, splits."""

import hashlib
import json

import polars as pl
import pytest

from epoxy_core.corpus import (
    Scanned,
    Video,
    refuse_bad_videos,
    video_corpus,
    video_items,
    videos_table,
)
from epoxy_core.corpus.scan import VIDEOS
from epoxy_core.errors import EpoxyError

CLASSES = ("day", "night")


def digest(name):
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def scans(**lengths):
    """Videos of so many items of one second; None: nothing of it can be decoded."""
    videos, items = [], []
    for name, length in lengths.items():
        row = {"identity": digest(name), "problem": None, "n_items": length or 0}
        if length is None:
            row["problem"] = "the file is empty (0 bytes)"
        else:
            about = {"duration": float(length), "width": 64, "height": 48, "fps": 25.0}
            row |= about | {"codec": "h264", "metadata": json.dumps({"Genre ": name[0]})}
        videos.append(row)
        items += [
            {
                "identity": digest(name),
                "content_hash": digest(f"{name}{i}"),
                "start": float(i),
                "end": i + 1.0,
                "time": i + 0.5,
                "frame": 25 * i,
                "frames": [25 * i, 25 * i + 12],
                "brightness": i / 10,
                "black": i == 0,
                "text": "",
            }
            for i in range(length or 0)
        ]
    return Scanned(pl.DataFrame(videos, schema=VIDEOS), pl.DataFrame(items))


def files(**names):
    """Video files: contents by path, with ``__`` for a slash."""
    return [
        Video(name := f"{path.replace('__', '/')}.mp4", f"/task/{name}", digest(of), digest(of))
        for path, of in names.items()
    ]


@pytest.fixture
def video_task(make_task, write):
    """A task with hand labels, written as CSV."""

    def make(gold=None, classes=CLASSES, **labels):
        if gold is not None:
            write("gold.csv", gold)
            labels["file"] = "gold.csv"
        return make_task(kind="video", paths="clips", classes=classes, labels=labels or None)

    return make


def labels_of(corpus):
    return {row[0]: row[1:] for row in corpus.gold.select("item_id", "label", "split").rows()}


def test_items_say_where_and_when():
    items = video_items(files(clips__a="a"), scans(a=3))
    assert items["item_id"].to_list() == [f"clips/a.mp4@00000{i}.000" for i in range(3)]
    assert items["video"].to_list() == ["clips/a.mp4"] * 3
    assert items["frames"].to_list()[1] == [25, 37]
    assert items.columns[:8] == [
        "item_id",
        "text",
        "content_hash",
        "video",
        "start",
        "end",
        "time",
        "frame",
    ]
    assert items["duration"].unique().to_list() == [3.0]
    assert items["meta_genre"].unique().to_list() == ["a"]


def test_ids_sort_in_time():
    scanned = scans(a=1)
    long = scanned.items.with_columns(start=pl.lit(36000.0004)).vstack(
        scanned.items.with_columns(start=pl.lit(9.9996))
    )
    items = video_items(files(a="a"), Scanned(scanned.videos, long))
    assert items["item_id"].to_list() == ["a.mp4@000010.000", "a.mp4@036000.000"]


def test_copies_are_items_of_their_own():
    items = video_items(files(a="a", b="a"), scans(a=2))
    assert items["video"].to_list() == ["a.mp4", "a.mp4", "b.mp4", "b.mp4"]
    assert items["content_hash"].n_unique() == 2


def test_a_video_without_scan_gives_no_items(video_task):
    corpus = video_corpus(video_task(), files(a="a", b="b"), scans(a=2))
    assert corpus.items["video"].unique().to_list() == ["a.mp4"]
    assert "frames" not in corpus.items.columns
    assert corpus.report.splits == {"unlabeled": 2, "dev": 0, "test": 0}


def test_bad_videos_are_named(video_task):
    videos, scanned = files(a="a", clips__b="b"), scans(a=2, b=None)
    table = videos_table(videos, scanned)
    assert table["items"].to_list() == [2, 0]
    assert table["problem"].to_list() == [None, "the file is empty (0 bytes)"]
    task = video_task()
    refuse_bad_videos(task, table)
    strict = task.model_copy(update={"source": task.source.model_copy(update=STRICT)})
    with pytest.raises(EpoxyError, match=r"1 of 2 videos.*\n    clips/b.mp4: the file is empty"):
        refuse_bad_videos(strict, table)
    with pytest.raises(EpoxyError, match=r"no item remains of 1 videos\n    clips/b.mp4: the file"):
        video_corpus(task, videos[1:], scanned)


STRICT = {"on_bad_video": "error"}


def test_a_label_holds_for_items_whose_middle_is_in_the_stretch(video_task):
    gold = "video,label,start,end\na.mp4,day,0.5,2.5\na.mp4,night,3.51,\nclips/b.mp4,night,,1\n"
    corpus = video_corpus(video_task(gold), files(a="a", clips__b="b"), scans(a=5, b=2))
    assert {item: row[0] for item, row in labels_of(corpus).items()} == {
        "a.mp4@000000.000": 0,
        "a.mp4@000001.000": 0,
        "a.mp4@000004.000": 1,
        "clips/b.mp4@000000.000": 1,
    }
    assert corpus.items["split"].to_list().count("dev") == 4


def test_brute_force_stretches(video_task):
    import random

    random.seed(3)
    bounds = sorted(random.uniform(-1, 40) for _ in range(8))
    rows = list(zip(bounds[::2], bounds[1::2], strict=True))
    gold = "video,label,start,end\n" + "".join(f"a.mp4,day,{a},{b}\n" for a, b in rows)
    corpus = video_corpus(video_task(gold), files(a="a"), scans(a=40))
    expected = {
        f"a.mp4@0000{i:02}.000" for i in range(40) if any(a <= i + 0.5 < b for a, b in rows)
    }
    assert set(labels_of(corpus)) == expected


def test_a_video_is_named_by_path_or_by_a_name_that_no_other_has(video_task):
    videos = files(x__a="a", y__a="b", y__c="c")
    scanned = scans(a=1, b=1, c=1)
    corpus = video_corpus(video_task("video,label\n./x/a.mp4,day\nc.mp4,night\n"), videos, scanned)
    assert {item[:7]: row[0] for item, row in labels_of(corpus).items()} == {
        "x/a.mp4": 0,
        "y/c.mp4": 1,
    }
    with pytest.raises(EpoxyError, match=r"ambiguous_video: 1(.|\n)*gold\.csv:2: a\.mp4"):
        video_corpus(video_task("video,label\na.mp4,day\n"), videos, scanned)


def test_labels_by_item(video_task):
    gold = "id,label\na.mp4@000001.000,night\nnope,day\n"
    corpus = video_corpus(video_task(gold), files(a="a"), scans(a=2))
    assert labels_of(corpus) == {"a.mp4@000001.000": (1, "dev")}
    assert corpus.report.count("unknown_item") == 1


@pytest.mark.parametrize(
    ("gold", "problem", "row"),
    [
        ("video,label\na.mp4,dusk\n", "unknown_class", "gold.csv:2: dusk"),
        ("video,label,start,end\na.mp4,day,2,1\n", "bad_stretch", "gold.csv:2: 2.0 to 1.0"),
        ("video,label,start\na.mp4,day,soon\n", "bad_stretch", "gold.csv:2"),
        ("video,label,start,end\na.mp4,day,0,2\na.mp4,night,1,3\n", "conflicting_label", ":3: "),
        ("video,label,split\na.mp4,day,dev\nb.mp4,day,train\n", "unknown_split", ":3: train"),
        ("video,label,split\na.mp4,day,\n", "unknown_split", "gold.csv:2: (empty)"),
        ("clip,label\na.mp4,day\n", "no column 'video'", "gold.csv"),
    ],
)
def test_wrong_labels_stop_and_name_the_row(video_task, gold, problem, row):
    with pytest.raises(EpoxyError) as caught:
        video_corpus(video_task(gold), files(a="a", b="b"), scans(a=3, b=1))
    assert problem in str(caught.value)
    assert row in str(caught.value)
    assert caught.value.remedy


def test_labels_of_what_is_not_there_are_reported(video_task):
    gold = "video,label,start,end\nz.mp4,day,,\na.mp4,day,7,8\nb.mp4,day,,\na.mp4,day,0,1\n"
    corpus = video_corpus(video_task(gold), files(a="a", b="b"), scans(a=2, b=None))
    assert corpus.report.count("unknown_video") == 1
    assert corpus.report.count("empty_stretch") == 1  # b.mp4 is reported as a video
    assert len(labels_of(corpus)) == 1


def test_no_video_is_in_two_splits(video_task):
    names = [f"v{i}" for i in range(60)]
    gold = "video,label\n" + "".join(f"{name}.mp4,day\n" for name in names)
    corpus = video_corpus(
        video_task(gold, dev=0.5, test=0.3),
        files(**{name: name for name in names}),
        scans(**dict.fromkeys(names, 3)),
    )
    splits = corpus.items.group_by("video").agg(pl.col("split").unique())
    assert (splits["split"].list.len() == 1).all()
    counts = corpus.report.splits
    assert min(counts.values()) > 0
    assert sum(counts.values()) == 180


def test_copies_are_in_one_split(video_task):
    names = {f"v{i}": str(i // 2) for i in range(40)}
    gold = "video,label\n" + "".join(f"{name}.mp4,day\n" for name in names)
    scanned = scans(**{str(i): 1 for i in range(20)})
    corpus = video_corpus(video_task(gold, dev=0.5, test=0.5), files(**names), scanned)
    pairs = corpus.items.group_by("content_hash").agg(pl.col("split").unique())
    assert (pairs["split"].list.len() == 1).all()
    assert set(corpus.items["split"]) == {"dev", "test"}


def test_a_split_column_replaces_the_shares(video_task):
    gold = "video,label,split\na.mp4,day,test\nb.mp4,night, dev\nc.mp4,day,unlabeled\n"
    corpus = video_corpus(
        video_task(gold, dev=1.0), files(a="a", b="b", c="c"), scans(a=1, b=1, c=1)
    )
    assert labels_of(corpus) == {
        "a.mp4@000000.000": (0, "test"),
        "b.mp4@000000.000": (1, "dev"),
    }
    assert corpus.items["split"].to_list() == ["test", "dev", "unlabeled"]


def test_labels_from_a_column(video_task):
    task = video_task(column="meta_genre", classes=("d", "n"))
    corpus = video_corpus(task, files(x="day", y="night"), scans(day=1, night=2))
    assert [row[0] for row in labels_of(corpus).values()] == [0, 1, 1]
    assert "meta_genre" not in corpus.items.columns
    task = video_task(column="black", classes=("false", "true"))
    corpus = video_corpus(task, files(x="day"), scans(day=3))
    assert [row[0] for row in labels_of(corpus).values()] == [1, 0, 0]
    with pytest.raises(EpoxyError, match="no column 'meta_mood'") as caught:
        video_corpus(video_task(column="meta_mood"), files(x="day"), scans(day=1))
    assert "meta_genre" in caught.value.remedy
