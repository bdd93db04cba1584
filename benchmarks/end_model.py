"""The linear head beside scikit-learn's logistic regression: time, and how near the optimum.

The rows are synthetic: embedded messages of the SMS example, drawn again and again with a little
noise. Time is real, quality means nothing. Classes are their nearest of K random messages, a
tenth replaced by chance. Both learn the same rows in one process, one after the other, at the
defaults of each (scikit-learn's tolerance 1e-4) and l2 = 1; scikit-learn with one BLAS thread,
because its thin products are several times slower with more where cores are shared. The head
uses what threads it likes.

    python -m benchmarks.end_model [--items 1000 10000 ...] [--classes 2 6] [--longest-peer 2e6]
"""

import argparse
import time
from collections.abc import Callable, Sequence

from epoxy_core.cpu import choose_kernels

choose_kernels()

import numpy as np  # noqa: E402  (after the kernels are chosen, as in the product)
import numpy.typing as npt  # noqa: E402

from benchmarks.embedding import SMS, machine, read  # noqa: E402
from epoxy_core.embed import TextEncoder  # noqa: E402
from epoxy_core.end_model import LinearHead, MLPHead  # noqa: E402

SOURCE_ROWS = 2_000
NOISE = 0.03
BLOCK = 50_000

Vectors = npt.NDArray[np.float32]
Parameters = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def synthetic(source: Vectors, n: int, n_classes: int) -> tuple[Vectors, npt.NDArray[np.intp]]:
    """Perturbed rows of ``source`` and noisy classes."""
    generator = np.random.default_rng(0)
    centres = source[generator.choice(len(source), n_classes, replace=False)]
    drawn = generator.integers(0, len(source), n)
    classes = (source @ centres.T).argmax(axis=1)[drawn]
    chance = generator.random(n) < 0.1
    classes[chance] = generator.integers(0, n_classes, chance.sum())
    rows = np.empty((n, source.shape[1]), dtype=np.float32)
    for first in range(0, n, BLOCK):
        part = source[drawn[first : first + BLOCK]]
        part = part + NOISE * generator.standard_normal(part.shape, dtype=np.float32)
        rows[first : first + BLOCK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return rows, classes


def ours(rows: Vectors, classes: npt.NDArray[np.intp], n_classes: int) -> Parameters:
    """Coefficients and biases of the product's head."""
    head = LinearHead(n_classes).fit(rows, classes)
    return head.weights_, head.bias_


def peer(rows: Vectors, classes: npt.NDArray[np.intp], n_classes: int) -> Parameters:
    """The same of scikit-learn's, at its default tolerance."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        model = LogisticRegression(max_iter=1000).fit(rows, classes)
    contrast = np.array([[-0.5], [0.5]]) if n_classes == 2 else np.eye(n_classes)
    return contrast @ model.coef_, contrast @ model.intercept_


def objective(parameters: Parameters, rows: Vectors, classes: npt.NDArray[np.intp]) -> float:
    """What both minimise, in float64."""
    coefficients, bias = parameters
    total = 0.0
    for first in range(0, len(rows), BLOCK):
        logits = rows[first : first + BLOCK].astype(np.float64) @ coefficients.T + bias
        right = logits[np.arange(len(logits)), classes[first : first + BLOCK]]
        total += float((np.logaddexp.reduce(logits, axis=1) - right).sum())
    shared = 2 if len(coefficients) == 2 else 1
    return total + shared / 2 * float((coefficients**2).sum())


def timed(job: Callable[[], object], repeat: int) -> tuple[float, float, object]:
    """Least wall and CPU seconds, and the last result."""
    walls, cpus, result = [], [], None
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        result = job()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), result


def compare(rows: Vectors, classes: npt.NDArray[np.intp], n_classes: int, peers: bool) -> str:
    """One line of the table."""
    repeat = 5 if len(rows) <= 10_000 else 1
    wall, cpu, found = timed(lambda: ours(rows, classes, n_classes), repeat)
    cells = [f"{len(rows):,}", str(n_classes), f"**{wall:.3f}**", f"{cpu:.3f}"]
    if peers:
        their_wall, their_cpu, theirs = timed(lambda: peer(rows, classes, n_classes), repeat)
        above = objective(theirs, rows, classes) - objective(found, rows, classes)
        cells += [f"{their_wall:.3f}", f"{their_cpu:.3f}", f"{their_wall / wall:.1f}"]
        cells += [f"{their_cpu / cpu:.1f}", f"{above:+.4f}"]
    return "| " + " | ".join(cells + ["–"] * (9 - len(cells))) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 6])
    parser.add_argument("--longest-peer", type=float, default=2e6, help="items × classes")
    parser.add_argument("--mlp", type=int, default=100_000, help="items for the MLP head")
    chosen = parser.parse_args(arguments)
    source = TextEncoder().encode(read(SMS, SOURCE_ROWS))
    print(machine())
    print(
        "| items | K | head s | CPU s | scikit-learn s | CPU s | ratio | CPU ratio | loss above |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for n in chosen.items:
        for n_classes in chosen.classes:
            rows, classes = synthetic(source, n, n_classes)
            peers = n * n_classes <= chosen.longest_peer
            print(compare(rows, classes, n_classes, peers), flush=True)
    rows, classes = synthetic(source, chosen.mlp, chosen.classes[-1])
    wall, cpu, _ = timed(lambda: MLPHead(chosen.classes[-1]).fit(rows, classes), 1)
    print(f"MLP head, {chosen.mlp:,} items: {wall:.1f} s, {cpu:.1f} CPU-s")


if __name__ == "__main__":
    main()
