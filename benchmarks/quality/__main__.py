"""Label quality of the product and its peers, side by side, as a Markdown file.

    python -m benchmarks.quality --peers PYTHON [--data FOLDER] [--set FOLDER ...] [--output FILE]

`make bench-quality DATA=FOLDER` builds the peers' environment first.
"""

import argparse
import datetime
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks.quality import contest
from benchmarks.quality.data import TextSet, load_texts
from benchmarks.quality.embeddings import cached_embeddings
from benchmarks.quality.frames import FrameSet, load_frames
from benchmarks.quality.gold import learning_curve
from benchmarks.quality.machine import machine, versions
from benchmarks.quality.peers import Peers
from benchmarks.quality.report import report
from benchmarks.quality.scores import scores
from benchmarks.quality.sets import find_sets, is_frames
from benchmarks.quality.table import SetResult
from epoxy_core.embed import TextEncoder
from epoxy_core.errors import EpoxyError
from epoxy_core.home import Home

OUTPUT = Path(__file__).parents[1] / "results" / "quality.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 after a problem the user can fix."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of sets")
    parser.add_argument("--set", type=Path, action="append", default=[], help="a further set")
    parser.add_argument("--peers", type=Path, required=True, help="Python that has the peers")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--as-delivered", action="store_true", help="keep labels that test texts begin with"
    )
    options = parser.parse_args(arguments)
    try:
        written = run(options.data, options.set, options.peers, options.as_delivered)
    except EpoxyError as error:
        print(error, file=sys.stderr)
        return 1
    options.output.write_text(written, encoding="utf-8")
    print(written)
    return 0


def run(data: Path | None, further: list[Path], peers: Path, as_delivered: bool = False) -> str:
    """Measure all sets; give the report as Markdown."""
    text_sets, frame_sets = [], []
    for folder in find_sets(data, further):
        if is_frames(folder):
            frame_sets.append(load_frames(folder))
        else:
            text_sets.append(load_texts(folder, as_delivered=as_delivered))
    encoder, cache = TextEncoder(), Home.from_environment().root / "benchmarks"
    importlib.import_module("sklearn.linear_model")  # before a clock runs
    texts, frames, identical = [], [], True
    with Peers(peers) as process:
        vectors = [cached_embeddings(encoder, each.texts, cache) for each in text_sets]
        # Like the peers: models so small are slower on several threads.
        with threadpool_limits(1):
            for each, embeddings in zip(text_sets, vectors, strict=True):
                print(f"{each.name} …", file=sys.stderr)
                result, repeated = _measure(each, embeddings, process)
                texts.append(result)
                identical &= repeated
            for votes in frame_sets:
                print(f"{votes.name} …", file=sys.stderr)
                frames.append(_measure_frames(votes, process))
    about = f"{datetime.date.today().isoformat()}; {machine()}. {versions(process.versions)}."
    return report(encoder.model.name, text_sets, texts, frames, identical, about)


def _measure(
    texts: TextSet, embeddings: npt.NDArray[np.float32], peers: Peers
) -> tuple[SetResult, bool]:
    """The set's result, and whether ours came out the same when run again."""
    found = contest.run_texts(texts, embeddings, peers)
    again = contest.run_ours(texts, embeddings)
    repeated = contest.same(again, {name: found[name] for name in again})
    curve = learning_curve(texts, embeddings)
    gold = texts.gold[texts.test]
    scored = {
        name: [scores(each[texts.test], gold) for each in outcome.probabilities]
        for name, outcome in found.items()
    }
    seconds = {name: outcome.seconds for name, outcome in found.items()}
    choices = {name: outcome.choice for name, outcome in found.items() if outcome.choice}
    result = SetResult(texts.name, texts.n_classes, scored, seconds, curve, choices)
    return result, repeated


def _measure_frames(frames: FrameSet, peers: Peers) -> SetResult:
    found = contest.run_frames(frames, peers)
    scored = {
        name: [scores(each, frames.gold) for each in outcome.probabilities]
        for name, outcome in found.items()
    }
    seconds = {name: outcome.seconds for name, outcome in found.items()}
    return SetResult(frames.name, 2, scored, seconds)


if __name__ == "__main__":
    sys.exit(main())
