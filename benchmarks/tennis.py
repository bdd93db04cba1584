"""Votes on consecutive video frames through label models that know time and others that do not.

    python -m benchmarks.tennis FOLDER [--peers PYTHON] [--output FILE]

FOLDER has L_train_video.npy, L_dev_video.npy and Y_dev_video.npy (votes and classes -1 and +1,
0 = abstain), as FlyingSquid's tutorials ship them. `make bench-tennis DATA=FOLDER` builds the
peers' environment first.
"""

import argparse
import datetime
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.peers.memory import with_peak
from benchmarks.quality.frames import FrameSet, load_frames
from benchmarks.quality.machine import machine, versions
from benchmarks.quality.peers import Peers
from benchmarks.quality.scores import scores
from epoxy_core.choices import Choice
from epoxy_core.errors import EpoxyError
from epoxy_core.label_model import ChosenLabelModel, make_label_model
from epoxy_core.label_model.chain import TemporalChain
from epoxy_core.label_model.in_order import ChainInOrder, ItemOrder
from epoxy_core.label_model.order_choice import order_choice

OUTPUT = Path(__file__).parent / "results" / "tennis.md"
ROUNDS = 5

Floats = npt.NDArray[np.float64]
Votes = npt.NDArray[np.int8]

INTRODUCTION = """\
# Label models on consecutive video frames

    make bench-tennis DATA=FOLDER

{name}: every model is fitted on the votes of {votes:,} unlabelled frames and labels {labelled:,}
others, on which it is scored; {lfs} labeling functions, two classes. The hand labels are read for
the scores and for nothing else. No model is told the class balance: majority vote, Snorkel,
FlyingSquid (in its chain, over all combinations of classes) and our triplets then take it to be
uniform, crowd-kit's Dawid–Skene learns it, and ours does where the votes tell it; our chain holds
what that found.

FlyingSquid's chain is called as in its video tutorial: windows of three frames, classes of
neighbouring frames dependent. It drops what is left after the last whole window; here these frames
are read in a window that overlaps with the one before. Ours is one sequence from the first frame to
the last. F1 is that of class +1; a tie of both classes counts as a half.

Time is for fitting and labelling together, the median of {rounds} runs on one thread; memory is
what the first of them took beyond what the process held with its packages loaded."""


class Measured(NamedTuple):
    """P(class) of the labelled frames; seconds and MiB that it took."""

    probabilities: Floats
    seconds: float
    mebibytes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 after a problem the user can fix."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", type=Path, help="Python that has the peers")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    try:
        frames = load_frames(options.folder)
        measured: dict[str, Measured] = {}
        packages: dict[str, str] = {}
        if options.peers:
            measured, packages = run_peers(frames, options.peers)
        measured |= run_ours(frames)
    except EpoxyError as error:
        print(error, file=sys.stderr)
        return 1
    used = versions(packages).removesuffix("; peers: ")
    about = f"{datetime.date.today().isoformat()}; {machine()}. {used}."
    written = report(frames, measured, without_labels(frames.votes), about)
    options.output.write_text(written, encoding="utf-8")
    print(written)
    return 0


def run_peers(frames: FrameSet, python: Path) -> tuple[dict[str, Measured], dict[str, str]]:
    """Ask the peers, each in a process of its own; and for their packages' versions."""
    found: dict[str, Measured] = {}
    packages: dict[str, str] = {}
    for name, method in (
        ("Snorkel", "snorkel"),
        ("Dawid–Skene (crowd-kit)", "dawid_skene"),
        ("FlyingSquid", "flyingsquid"),
        ("FlyingSquid, chain of 3", "flyingsquid_chain"),
    ):
        with Peers(python) as peers:
            answers = [peers.label(method, frames.votes, frames.labelled, 2) for _ in range(ROUNDS)]
            packages = peers.versions
        seconds = statistics.median(answer.seconds for answer in answers)
        found[name] = Measured(answers[0].probabilities, seconds, answers[0].mebibytes)
    return found, packages


def run_ours(frames: FrameSet) -> dict[str, Measured]:
    """Run ours, each model in a process of its own."""
    found = {}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in OURS:
            found[name] = Measured(*pool.apply(measure, (name, frames.votes, frames.labelled)))
    return found


def measure(name: str, votes: Votes, labelled: Votes) -> tuple[Floats, float, float]:
    """Run one of ours, in the process that this is called in."""
    from threadpoolctl import threadpool_limits

    label = OURS[name]
    with threadpool_limits(1):
        label(votes[:100], labelled[:100])  # loads SciPy, which the peers do on import
        seconds = []
        for turn in range(ROUNDS):
            started = time.perf_counter()
            if turn == 0:
                probabilities, mebibytes = with_peak(lambda: label(votes, labelled))
            else:
                label(votes, labelled)
            seconds.append(time.perf_counter() - started)
    return probabilities, statistics.median(seconds), mebibytes


def without_labels(votes: Votes) -> Choice:
    """What `label_model.sequence: auto` would choose on the unlabelled frames."""
    order = ItemOrder(np.arange(len(votes)), np.zeros(len(votes), np.int64))
    model = ChosenLabelModel(2).fit(votes)
    judge = ChainInOrder(2, model.class_balance_, order).fit(votes)
    chain, static = judge.predict_proba(votes), model.predict_proba(votes)
    nothing = np.full(len(votes), -1, np.int8)
    return order_choice(judge, chain, static, votes, None, nothing, given=False)


def report(frames: FrameSet, measured: Mapping[str, Measured], choice: Choice, about: str) -> str:
    """The table, and what the votes alone say of their order."""
    head = INTRODUCTION.format(
        name=frames.name.capitalize(),
        votes=len(frames.votes),
        labelled=len(frames.labelled),
        lfs=frames.votes.shape[1],
        rounds=ROUNDS,
    )
    lines = ["| method | accuracy | F1 | seconds | MiB |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, found in measured.items():
        score = scores(found.probabilities, frames.gold)
        memory = "–" if np.isnan(found.mebibytes) else f"{found.mebibytes:.1f}"
        lines.append(
            f"| {name} | {100 * score.accuracy:.1f} | {100 * score.f1:.1f} "
            f"| {found.seconds:.3f} | {memory} |"
        )
    error = 100 * (0.25 / len(frames.gold)) ** 0.5
    noise = f"The standard error of an accuracy is at most {error:.1f} points."
    said = f"`label_model.sequence: auto` would choose *{choice.chosen}* here. {choice.reason}"
    return "\n\n".join([head, "\n".join(lines), noise, said, about]) + "\n"


def _static(method: str) -> Callable[[Votes, Votes], Floats]:
    def label(votes: Votes, labelled: Votes) -> Floats:
        return make_label_model(method, 2).fit(votes).predict_proba(labelled)

    return label


def _chain(votes: Votes, labelled: Votes) -> Floats:
    balance = ChosenLabelModel(2).fit(votes).class_balance_
    model = TemporalChain(2, balance).fit(votes, np.zeros(len(votes), np.int64))
    return model.predict_proba(labelled, np.zeros(len(labelled), np.int64))


OURS: dict[str, Callable[[Votes, Votes], Floats]] = {
    "majority vote": _static("majority_vote"),
    "ours: triplets": _static("triplets"),
    "ours: Dawid–Skene": _static("dawid_skene"),
    "ours: auto": _static("auto"),
    "ours: temporal chain": _chain,
}

if __name__ == "__main__":
    sys.exit(main())
