"""The product's speed, memory and growth beside its peers', as a Markdown file.

    python -m benchmarks.speed --peers PYTHON [--items N ...] [--stage STAGE ...]

Sizes and stages may be run one by one, at different times: every one leaves its figures in the
cache, and the report is made of what is there. `make bench-speed` builds the peers' environment.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from epoxy_core.cpu import choose_kernels
from epoxy_core.threads import thread_count

STAGES = ("ceiling", "graph", "votes", "label_models", "extension", "pipeline", "relabel")
FEW = 200_000
OUTPUT = Path(__file__).parents[1] / "results" / "speed.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the report; 1 after a problem the user can fix."""
    options = _parser().parse_args(arguments)
    if options.threads and hasattr(os, "sched_setaffinity"):
        # Inherited by what is started; before NumPy looks.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    choose_kernels()
    from benchmarks.speed.contest import Record, save
    from benchmarks.speed.data import Run, Source, prepare
    from benchmarks.speed.measure import problem
    from benchmarks.speed.report import machine_facts, report

    cache = options.cache.resolve()
    source = Source(cache, options.windows, options.vectors, options.embed)
    facts = machine_facts(options.peers)
    failed = 0
    for items in [] if options.report else options.items:
        run = Run(
            items,
            source,
            options.peers,
            options.rounds,
            options.edits or (20 if items <= FEW else 10),
            options.threads or thread_count(),
            options.quick,
            facts,
        )
        print(f"{items:,} items: data", file=sys.stderr, flush=True)
        try:
            prepare(run)
        except Exception as error:  # the other sizes go on
            print(f"{items:,} items: {problem(error)}", file=sys.stderr)
            failed = 1
            continue
        for name in options.stage:
            try:
                importlib.import_module(f"benchmarks.speed.{name}").stage(run)
            except Exception as error:  # the other stages go on
                print(f"{name}, {items:,} items: {problem(error)}", file=sys.stderr)
                save(run, name, [Record("the stage", True, run.threads, problem=problem(error))])
                failed = 1
            options.output.write_text(report(cache / "results"), encoding="utf-8")
    options.output.write_text(report(cache / "results"), encoding="utf-8")
    print(f"{options.output} written", file=sys.stderr)
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peers", type=Path, required=True, help="Python of their environment")
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--stage", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--rounds", type=int, default=3, help="of contenders that are not slow")
    parser.add_argument("--edits", type=int, help="in `relabel`; by default 20, of many items 10")
    parser.add_argument("--threads", type=int, help="all that there are by default")
    parser.add_argument("--quick", action="store_true", help="without the slowest peers")
    parser.add_argument("--embed", type=int, help="so many; other vectors are perturbed copies")
    parser.add_argument(
        "--perturbed", dest="embed", action="store_const", const=100_000, help="--embed 100000"
    )
    parser.add_argument("--windows", type=Path, help="Parquet with id, text, label")
    parser.add_argument("--vectors", type=Path, help="their vectors, npy")
    parser.add_argument("--cache", type=Path, default=Path(".cache/speed"))
    parser.add_argument("--report", action="store_true", help="only write it again")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
