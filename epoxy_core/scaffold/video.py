"""A new task on videos: heuristics on what can be measured, to be replaced by better ones."""

from pathlib import Path

from epoxy_core.corpus.videos import SUFFIXES
from epoxy_core.scaffold.words import relative, task_name
from epoxy_core.task import TASK_FILE

SETTINGS = """\
# A labeling task on videos. Every setting: docs/task.md; what there is to vote on: docs/video.md.
# Check it with: epoxy check {folder}
name: {name}
description: What is labelled, and what for.

source:
  kind: video
  paths: [{path}]
  items: frame # or shot, or clip
  sample: 1 # frames per second

classes: [still, moving] # a vote is one of these names, or its position

# Hand labels, if there are any: a file with columns video, label and, for a stretch of the video,
# start and end in seconds. Whole videos are dev or test.
# labels:
#   file: labels.csv
#   dev: 0.5
#   test: 0.5

labeling_functions:
  file: labeling_functions.py
  heuristics: # the same without Python
    - {{name: frozen, type: between, vote: still, column: motion, max: 0.001}}
"""

HEURISTICS = '''\
"""Labeling functions: each votes a class or abstains (None)."""

import polars as pl

from epoxy_core.labeling import expression_labeling_function, labeling_function, within


@expression_labeling_function(vote="moving")
def restless():
    """Changes more than three quarters of all items do."""
    return pl.col("motion") > pl.col("motion").quantile(0.75)


@expression_labeling_function(vote="still")
def calm():
    """Changes less than three quarters of all items do."""
    return pl.col("motion") < pl.col("motion").quantile(0.25)


@expression_labeling_function(vote="moving")
def near_a_short_shot():
    """Where cuts follow one another, there is something going on."""
    return within(2, of=pl.col("shot_seconds") < 2)


@labeling_function
def title_card(x):
    """Writing on one colour stands still."""
    return "still" if x.dominance > 0.7 and x.motion < 0.02 else None
'''


def video_task(folder: Path, data: Path) -> dict[Path, str]:
    """Files of a new task on videos, with what is to be in them.

    Parameters
    ----------
    folder
        Where it will be.
    data
        A video, or a folder of videos.
    """
    settings = SETTINGS.format(folder=folder, name=task_name(folder), path=relative(data, folder))
    return {folder / TASK_FILE: settings, folder / "labeling_functions.py": HEURISTICS}


def holds_videos(data: Path) -> bool:
    """Whether it is a video or a folder that holds one, by the suffix."""
    files = data.rglob("*") if data.is_dir() else [data]
    return any(file.suffix.lower() in SUFFIXES for file in files)
