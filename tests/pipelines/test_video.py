"""Video tasks from files to training set: real small videos, a real instance, a tiny encoder.

The encoder is a CLIP of one layer with random weights (`videos.tiny_clip`), for speed.
"""

import os
import shutil
import signal
import subprocess
import sys

import dagster as dg
import polars as pl
import pytest
from support import FOLLOWING, bring_up_to_date, edit, epoxy, ran
from videos import film, tiny_clip

from assets.liveness import settle_dead_runs
from epoxy_core.home import Home
from epoxy_core.storage.database import Database
from epoxy_core.task import load_task
from pipelines.definitions import build
from pipelines.graph import job_name
from pipelines.instance import open_instance
from pipelines.relabel import QUIET, lost, observe

TASK = """\
name: films
description: Day or night, per frame.
source:
  kind: video
  paths: clips
  sample: 2
classes: [night, day]
labels:
  file: gold.csv
embedding:
  model: clip
  precision: float32
extension:
  neighbors: 8
"""

HEURISTICS = '''\
"""Heuristics of the tests."""

import polars as pl

from epoxy_core.labeling import (
    between,
    expression_labeling_function,
    keywords,
    labeling_function,
    within,
)

dark = between("dark", "night", "brightness", max=0.3)
moon = keywords("moon", vote="night", words=["moon"])

LIMIT = 0.7


@labeling_function
def light(x):
    return "day" if x.brightness > LIMIT else None


@expression_labeling_function(vote="day")
def pale():
    return within(0, of=pl.col("saturation") < 0.15)
'''

NIGHTS_AND_DAYS = {
    "a": ("dark", "bright"),
    "b": ("bright", "dark"),
    "c": ("dark", "bright", "dark"),
    "deep/d": ("bright", "dark"),
}
SCENE = 2
"""Seconds."""

GOLD = """\
video,label,start,end,split
a.mp4,night,0,2,dev
a.mp4,day,2,4,dev
deep/d.mp4,day,0,2,test
clips/deep/d.mp4,night,2,,test
"""

VIDEO_ASSETS = {"frames", "items", "dev_labels", "test_labels"}


@pytest.fixture(scope="session")
def _films(tmp_path_factory):
    """The task, run once."""
    root = tmp_path_factory.mktemp("films")
    folder = root / "films"
    folder.mkdir()
    for seed, (name, lights) in enumerate(NIGHTS_AND_DAYS.items()):
        film(folder / f"clips/{name}.mp4", *lights, seconds=SCENE, seed=seed)
    (folder / "clips/b.vtt").write_text(
        "WEBVTT\n\n00:02.200 --> 00:03.000\nThe <i>moon</i> is up\n"
    )
    (folder / "clips/broken.mp4").write_bytes(b"")
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    (folder / "gold.csv").write_text(GOLD.replace("deep/d.mp4,day", "clips/deep/d.mp4,day"))
    tiny_clip(folder / "clip")
    done = bring_up_to_date(folder, Home(root / "home"))
    assert not done.failures, done.failures
    return root


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def films(_films, tmp_path):
    """A task folder of one's own that was just run, and its home."""
    for name in ("films", "home"):
        shutil.copytree(_films / name, tmp_path / name)
    (tmp_path / "home" / "dagster" / "dagster.yaml").unlink()  # it names the original's storage
    return tmp_path / "films", Home(tmp_path / "home")


def embed(folder, home):
    """Decode and embed, and nothing further: one run, whatever is up to date."""
    task = load_task(folder)
    definitions = build([task], home)
    wanted = ("frames", "items", "dev_labels", "test_labels", "embeddings")
    with open_instance(home) as instance:
        settle_dead_runs(instance)
        observe(instance, task)
        return definitions.resolve_job_def(job_name(task)).execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["films", name]) for name in wanted],
            run_config=QUIET,
        )


def query(home, sql):
    return Database(home.database("films")).query(sql)


def metadata(home, asset):
    with open_instance(home) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["films", asset]))
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_from_raw_videos_to_a_training_set(films):
    folder, home = films
    assert ran(bring_up_to_date(folder, home)) == set()
    items = query(home, "SELECT * FROM items ORDER BY item_id")
    assert items.height == 9 * SCENE * 2
    first = items.row(0, named=True)
    assert first["item_id"] == "clips/a.mp4@000000.000"
    assert (first["split"], first["width"], first["codec"]) == ("dev", 64, "h264")
    assert "thumbnail" not in items.columns
    assert "frames" not in items.columns
    captioned = items.filter(pl.col("text") != "")
    assert captioned["text"].unique().to_list() == ["The moon is up"]
    assert captioned["video"].unique().to_list() == ["clips/b.mp4"]
    splits = dict(items.group_by("video").agg(pl.col("split").unique()).iter_rows())
    assert splits["clips/a.mp4"] == ["dev"]
    assert splits["clips/deep/d.mp4"] == ["test"]
    scores = query(home, "SELECT * FROM evaluation WHERE split = 'test' AND metric = 'accuracy'")
    assert scores["n_items"].unique().to_list() == [8]
    assert scores["value"].min() > 0.9
    training = pl.read_parquet(home.training_set("films") / "training_set.parquet")
    assert {"video", "start", "end", "frame"} < set(training.columns)
    assert not set(training["video"]) & {"clips/deep/d.mp4"}
    assert "pipeline_tag: image-classification" in metadata(home, "end_model")["model_card"]


def test_broken_files_are_named_and_left_out(films):
    _, home = films
    videos = query(home, "SELECT * FROM videos ORDER BY video")
    assert videos["video"].to_list() == [
        "clips/a.mp4",
        "clips/b.mp4",
        "clips/broken.mp4",
        "clips/c.mp4",
        "clips/deep/d.mp4",
    ]
    assert videos["items"].to_list() == [8, 8, 0, 12, 8]
    assert videos["problem"].to_list() == [None, None, "the file is empty (0 bytes)", None, None]
    assert videos["duration"].to_list() == [4.0, 4.0, None, 6.0, 4.0]
    assert "clips/broken.mp4" in metadata(home, "frames")["problems"]
    assert metadata(home, "frames")["left_out"] == 1


def test_broken_files_stop_the_run_where_they_shall(films):
    folder, home = films
    edit(folder / "task.yaml", "  sample: 2\n", "  sample: 2\n  on_bad_video: error\n")
    done = bring_up_to_date(folder, home)
    assert len(done.failures) == 1
    assert "clips/broken.mp4: the file is empty (0 bytes)" in done.failures[0]
    (folder / "clips/broken.mp4").unlink()
    embed(folder, home)


def test_pictures_are_metadata(films):
    _, home = films
    for asset, name in (("frames", "pictures"), ("labels", "surest_and_least_sure")):
        picture = metadata(home, asset)[name]
        assert picture.startswith("![frames](data:image/jpeg;base64,")
        assert len(picture) < 280_000


def test_a_new_video_decodes_and_embeds_only_itself(films):
    folder, home = films
    film(folder / "clips/e.mp4", "bright", seconds=SCENE, seed=9)
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert {"frames", "items", "embeddings", "neighbors"} < ran(done)
    frames = metadata(home, "frames")
    assert (frames["decoded_now"], frames["already_stored"]) == (1, 5)
    embeddings = metadata(home, "embeddings")
    assert (embeddings["embedded_now"], embeddings["already_stored"]) == (4, 36)
    assert query(home, "SELECT * FROM labels WHERE item_id LIKE 'clips/e.mp4%'").height == 4


def test_a_renamed_video_is_not_decoded_again(films):
    folder, home = films
    (folder / "clips/c.mp4").rename(folder / "clips/renamed.mp4")
    embed(folder, home)
    assert metadata(home, "frames")["decoded_now"] == 0
    assert metadata(home, "embeddings")["embedded_now"] == 0
    videos = query(home, "SELECT DISTINCT video FROM items ORDER BY video")["video"]
    assert videos.to_list()[-1] == "clips/renamed.mp4"


def test_an_edited_heuristic_reruns_what_depends_on_it(films):
    folder, home = films
    edit(folder / "labeling_functions.py", "LIMIT = 0.7", "LIMIT = 0.9")
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert ran(done) - FOLLOWING == {"lf/light", "extended/light"}
    assert {"label_model", "lf_summary"} <= ran(done)


def test_new_hand_labels_rerun_no_heuristic_and_decode_nothing(films):
    folder, home = films
    with (folder / "gold.csv").open("a") as file:
        file.write("c.mp4,night,0,2,unlabeled\nc.mp4,day,2,3,dev\n")
    done = bring_up_to_date(folder, home)
    assert not done.failures
    assert VIDEO_ASSETS <= ran(done) <= VIDEO_ASSETS | FOLLOWING | _extensions(home)
    assert not any(name.startswith("lf/") for name in ran(done))
    assert not {"embeddings", "neighbors"} & ran(done)
    assert metadata(home, "frames")["decoded_now"] == 0
    dev = query(home, "SELECT count(*) AS n FROM dev_labels")["n"][0]
    assert dev == 8 + 2


def _extensions(home):
    return {f"extended/{lf}" for lf in query(home, "SELECT DISTINCT lf FROM lf_summary")["lf"]}


def test_another_sampling_decodes_everything_and_embeds_what_is_new(films):
    folder, home = films
    edit(folder / "task.yaml", "sample: 2", "sample: 4")
    embed(folder, home)
    assert metadata(home, "frames")["decoded_now"] == 5
    embeddings = metadata(home, "embeddings")
    assert (embeddings["embedded_now"], embeddings["already_stored"]) == (36, 36)
    edit(folder / "task.yaml", "sample: 4", "sample: 2")
    embed(folder, home)
    assert metadata(home, "frames")["decoded_now"] == 0


@pytest.mark.parametrize("items", ["shot", "clip"])
def test_shots_and_clips(films, items):
    folder, home = films
    edit(folder / "task.yaml", "sample: 2", f"sample: 4\n  items: {items}\n  clip_seconds: 2")
    embed(folder, home)
    rows = query(home, 'SELECT video, "start", "end" FROM items ORDER BY item_id')
    assert rows.height == 9
    assert rows.filter(video="clips/c.mp4").select("start", "end").rows() == [
        (0.0, 2.0),
        (2.0, 4.0),
        (4.0, 6.0),
    ]


def test_captions_that_change_embed_nothing(films):
    folder, home = films
    edit(folder / "clips/b.vtt", "moon", "sun")
    embed(folder, home)
    assert metadata(home, "frames")["decoded_now"] == 1
    assert metadata(home, "embeddings")["embedded_now"] == 0
    texts = query(home, "SELECT DISTINCT text FROM items WHERE text <> ''")["text"]
    assert texts.to_list() == ["The sun is up"]


KILL = """
import os, signal
from pathlib import Path
from epoxy_core.home import Home
from epoxy_core.storage.frames import FrameStore
from support import bring_up_to_date

append, done = FrameStore.append, []

def killed(self, *arguments):
    append(self, *arguments)
    done.append(1)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

FrameStore.append = killed
bring_up_to_date(Path({folder!r}), Home(Path({home!r})))
"""


def test_a_killed_run_goes_on_with_the_video_it_was_at(films, tmp_path):
    folder, _ = films
    home = Home(tmp_path / "another")
    script = KILL.format(folder=str(folder), home=str(home.root))
    places = os.pathsep.join([*sys.path, "tests"])
    killed = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    embed(folder, home)
    frames = metadata(home, "frames")
    assert (frames["decoded_now"], frames["already_stored"]) == (3, 2)
    assert query(home, "SELECT count(*) AS n, count(DISTINCT item_id) AS d FROM items").row(0) == (
        36,
        36,
    )


def test_lost_results_are_known(films):
    folder, home = films
    shutil.rmtree(home.lance("films"))
    home.neighbors("films").unlink()
    task = load_task(folder)
    definitions = build([task], home)
    gone = lost(definitions, task, definitions.resolve_asset_graph().materializable_asset_keys)
    assert {key.path[-1] for key in gone} == {"frames", "embeddings", "neighbors"}


def test_check_report_and_predict(films, capsys, monkeypatch):
    folder, home = films
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("EPOXY_HOME", str(home.root))
    code, printed = epoxy(capsys, "check", folder)
    assert code == 0, printed
    assert "videos: 5 files, 0:18 minutes" in printed
    assert "left out: clips/broken.mp4: the file is empty (0 bytes)" in printed
    assert "36 items (8 dev, 8 test, 20 unlabeled)" in printed
    assert "clip (local)" in printed

    film(folder.parent / "new.mp4", "dark", "bright", seconds=SCENE, seed=5)
    code, printed = epoxy(capsys, "predict", folder, "new.mp4", "--out", "new.csv")
    assert code == 0, printed
    found = pl.read_csv("new.csv")
    assert found.columns == [
        "item_id",
        "video",
        "start",
        "end",
        "label",
        "confidence",
        "P(night)",
        "P(day)",
    ]
    assert found["label"].to_list() == ["night"] * 4 + ["day"] * 4
    assert found["item_id"][1] == "new.mp4@000000.500"
    code, printed = epoxy(capsys, "predict", folder, "gone.mp4")
    assert code == 2
    assert "gone.mp4: no such file" in printed
    code, printed = epoxy(capsys, "predict", folder, folder / "clips/broken.mp4")
    assert code == 2
    assert "the file is empty" in printed

    code, printed = epoxy(capsys, "report", folder)
    assert code == 0
    assert "5 videos, 0:18 minutes" in printed
    assert "left out: clips/broken.mp4" in printed


def test_init_makes_a_task_that_checks_and_runs(films, capsys, monkeypatch, tmp_path):
    folder, _ = films
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EPOXY_HOME", str(tmp_path / "fresh"))
    assert epoxy(capsys, "init", "mine", "--data", folder / "clips")[0] == 0
    task = load_task(tmp_path / "mine")
    assert task.video
    assert task.video.paths == ["../films/clips"]
    code, printed = epoxy(capsys, "check", "mine")
    assert code == 0, printed
    assert "encoder: clip-vit-b-16-image" in printed
    assert "no vote for" not in printed
    assert "mine is ready" in printed
    with (tmp_path / "mine/task.yaml").open("a") as file:
        file.write("embedding: {model: ../films/clip}\n")
    code, printed = epoxy(capsys, "run", "mine")
    assert code == 0, printed
