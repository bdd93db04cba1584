"""How fast, and how exactly, texts are embedded, against plain sentence-transformers.

Contenders alternate in rounds, so that a busy machine disturbs them alike; ratios are of medians.

    python benchmarks/embedding.py [--rows N] [--rounds N] [--output FILE] [TEXTS ...]

TEXTS are CSV or Parquet files with a column ``text``; without any, the messages of the SMS example.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from epoxy_core.embed import TextEncoder, default_device, prepare_torch, resolve_precision

SMS = Path(__file__).parents[1] / "examples/sms_spam/data/spam_collection.csv"
PLAIN = "`SentenceTransformer.encode(texts)`"
Contender = Callable[[list[str]], npt.NDArray[np.float32]]


def read(file: Path, rows: int) -> list[str]:
    """Read the first texts of a file."""
    if file == SMS:
        lines = file.read_text(encoding="utf-8").split("\n")
        return [line.partition("\t")[2] for line in lines[:rows]]
    frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
    return frame["text"].head(rows).to_list()


def contenders() -> dict[str, Contender]:
    """Plain sentence-transformers in float32 first, then the product's precisions."""
    prepare_torch()
    from sentence_transformers import SentenceTransformer

    exact, reduced = TextEncoder(precision="float32"), TextEncoder(precision="bfloat16")
    plain = SentenceTransformer(str(exact.model.folder), local_files_only=True)
    return {
        PLAIN: plain.encode,
        "`TextEncoder`, float32": exact.encode,
        "`TextEncoder`, bfloat16": reduced.encode,
    }


def measure(texts: list[str], rounds: int) -> list[tuple[str, float, float, float, float]]:
    """(contender, rows/s, times plain, mean cosine, least cosine) of each."""
    candidates = contenders()
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    vectors = {}
    for encode in candidates.values():
        encode(texts[:50])
    for _ in range(rounds):
        for name, encode in candidates.items():
            started = time.perf_counter()
            vectors[name] = encode(texts)
            seconds[name].append(time.perf_counter() - started)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    found = []
    for name in candidates:
        cosine = (vectors[name] * vectors[PLAIN]).sum(axis=1)
        speed = len(texts) / median[name]
        found.append((name, speed, median[PLAIN] / median[name], cosine.mean(), cosine.min()))
    return found


def machine() -> str:
    """Processor, threads and versions."""
    import sentence_transformers
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    about = torch.cpu.get_capabilities()
    return (
        f"{about.get('cpu_name', 'unknown CPU')}, {torch.get_num_threads()} threads, {device}; "
        f"torch {torch.__version__}, sentence-transformers {sentence_transformers.__version__}; "
        f"`precision: auto` is {resolve_precision('auto', default_device())} here"
    )


def main() -> None:
    """Print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("texts", nargs="*", type=Path, default=[SMS])
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = [
        f"    python {' '.join([Path(sys.argv[0]).as_posix(), *sys.argv[1:]])}",
        "",
        "| texts | encoder | rows/s | × plain | cosine mean | cosine min |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for file in options.texts:
        texts = read(file, options.rows)
        length = round(statistics.median(len(text) for text in texts))
        for name, speed, ratio, mean, least in measure(texts, options.rounds):
            lines.append(
                f"| {file.stem}, {len(texts)} texts of {length} characters | {name} "
                f"| {speed:.0f} | {ratio:.2f} | {mean:.6f} | {least:.6f} |"
            )
    lines += ["", machine(), ""]
    print("\n".join(lines))
    if options.output:
        options.output.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
