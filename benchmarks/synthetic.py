"""How far label models are from the best anyone could do, as a Markdown file.

    python -m benchmarks.synthetic --peers PYTHON [--output FILE]

`make bench-synthetic` builds the peers' environment first.
"""

import argparse
import datetime
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.quality.machine import machine, versions
from benchmarks.quality.peers import Peers
from benchmarks.synthetic_contest import CASES, VARIANTS, measure
from benchmarks.synthetic_table import (
    Results,
    accuracy_table,
    calibration_table,
    distance_table,
    interval_table,
    overview,
)
from epoxy_core.errors import EpoxyError

OUTPUT = Path(__file__).parent / "results" / "synthetic.md"
N_ITEMS = 20_000
SEEDS = (0, 1, 2)

INTRODUCTION = """\
# Label models on votes with known parameters

    make bench-synthetic

{n:,} items, mean over {seeds} draws of the labeling functions (LFs) and of the items
(`benchmarks/synthetic_votes.py`). LFs of *both_class* vote every class, those of *one_class* one
class or not at all, *mixed* is half of each; 2, 4 or 10 classes, 10, 10 or 20 LFs. The most
frequent class is three times as frequent as the least. *Copies*: two LFs each do what another
does, on .7 of the items. *Chain*: sequences of 500 items, a class stays with probability .95
beyond chance; with *persistence .7* an LF repeats its vote, right or wrong, on .7 of the items
where it could.

Nothing can be more accurate on average than the posterior that the *true parameters* give. The
*distance* to its accuracy is in points, and so is the expected calibration error of the most
probable class (ten bins of as many items). A tie of *t* classes counts as 1/*t* of each.

Cells are *class balance given / unknown*. crowd-kit's Dawid–Skene always learns it, FlyingSquid's
chain as it is called here takes none, and FlyingSquid is for two classes only: –. A method that is
not for all cases has no mean. Ours takes an unknown balance to be uniform unless the votes tell it;
so do majority vote (for items without votes), Snorkel and FlyingSquid, without asking the votes.
Every model is fitted on the items it labels: Snorkel with 500 epochs; crowd-kit with 100
iterations, an item without votes being a tie; all else as they come. *Dawid–Skene* and *auto* of
ours find out by themselves whether abstaining says something, and which LFs depend on one another;
Snorkel and FlyingSquid are not told of the copies either."""

ACCURACIES = """\
## Accuracy of each LF, estimated without labels

Mean absolute error of `accuracy_` in points, against the share of the LF's votes that is right;
mean over 2, 4 and 10 classes and all LFs."""

INTERVALS = """\
Nominal 90 % intervals for it, and for the precision of each LF's votes for each class, as in the
table `lf_accuracy` (*auto*, of chains *temporal chain*): the percentage that holds the truth, and
the mean width in points."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 after a problem the user can fix."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peers", type=Path, required=True, help="Python that has the peers")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    try:
        with Peers(options.peers) as peers:
            results = run(N_ITEMS, SEEDS, peers)
    except EpoxyError as error:
        print(error, file=sys.stderr)
        return 1
    about = f"{datetime.date.today().isoformat()}; {machine()}. {versions(peers.versions)}."
    written = report(results, N_ITEMS, about)
    options.output.write_text(written, encoding="utf-8")
    print(written)
    return 0


def run(n: int, seeds: Iterable[int], peers: Peers | None) -> Results:
    """Measure every case, n items for each seed; without peers, only ours."""
    drawn = tuple(seeds)
    results = {}
    with threadpool_limits(1):  # as the peers: models so small are slower on several threads
        for case in CASES:
            print(f"{case.variant}: {case.kind}, {case.n_classes} classes …", file=sys.stderr)
            results[case] = [measure(case, n, seed, peers) for seed in drawn]
    return results


def report(results: Results, n: int, about: str) -> str:
    """All tables, and what they show."""
    seeds = len(next(iter(results.values())))
    parts = [INTRODUCTION.format(n=n, seeds=seeds), "## Mean distance, of all kinds and classes"]
    parts.append("\n".join(overview(results)))
    for variant in VARIANTS:
        parts += [
            f"## {variant.capitalize()}",
            "Distance:",
            "\n".join(distance_table(results, variant)),
            "Calibration error:",
            "\n".join(calibration_table(results, variant)),
        ]
    parts += [ACCURACIES, "\n".join(accuracy_table(results))]
    parts += [INTERVALS, "\n".join(interval_table(results)), about]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
