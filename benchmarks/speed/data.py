"""The data: ten-word windows of real reviews, their vectors, and the votes of ten heuristics."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.reviews import overlapping_windows, reviews
from epoxy_core.corpus import content_hash
from epoxy_core.embed import TextEncoder, embed_missing
from epoxy_core.errors import EpoxyError
from epoxy_core.labeling import LabelingFunction, apply_labeling_functions, load_labeling_functions
from epoxy_core.storage.lance import EmbeddingStore
from epoxy_core.task import Task, load_task

WORDS, STRIDE = 10, 5
MOST = 1_000_000
"""Windows kept of the 1.14 million that there are."""
NOISE = 0.03
"""Standard deviation, in each dimension, of what is added to a copied vector."""
BLOCK = 65_536
HEURISTICS = Path(__file__).parent / "heuristics.py"
REPLACED, REPLACEMENT = '"poor", "poorly"', '"pathetic", "weak", "mess"'
"""The edit of one heuristic, `hated`, that is to be extended again."""
EDITED = "hated"

TASK = """\
name: windows
description: Ten-word windows of reviews.
source: {paths: windows.parquet, id: id}
classes: [negative, positive]
labels: {column: label, dev: 0.002}
end_model: null
"""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """Where texts and vectors are from.

    Attributes
    ----------
    cache
        The benchmark's folder.
    windows, vectors
        Files given by the user: Parquet with ``text`` and ``label``, npy [≥ n, d].
    embed
        How many texts to embed; the others' vectors are perturbed copies. None: all.
    """

    cache: Path
    windows: Path | None = None
    vectors: Path | None = None
    embed: int | None = None

    def described(self, items: int) -> str:
        """What the vectors are."""
        if self.vectors:
            return f"vectors of {self.vectors.name}, given"
        if self.embed is not None and self.embed < items:
            return (
                f"{self.embed:,} embedded with the packaged model, the others' vectors perturbed "
                f"copies (noise {NOISE} in each dimension)"
            )
        return "all embedded with the packaged model"


@dataclass(frozen=True)
class Run:
    """One size of the benchmark.

    Attributes
    ----------
    items
        n.
    source
        Of the data.
    peers
        Python of the peers' environment.
    rounds, threads
        Of every contender.
    edits
        Of a heuristic, where it is relabeled again and again.
    quick
        Whether the slowest peers are left out.
    machine
        What it is measured on and with.
    """

    items: int
    source: Source
    peers: Path
    rounds: int
    edits: int
    threads: int
    quick: bool
    machine: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Files of this size."""
        return self.source.cache / str(self.items)

    @property
    def results(self) -> Path:
        """Figures of this size."""
        return self.source.cache / "results" / str(self.items)

    @property
    def task_folder(self) -> Path:
        """A task of the texts and the ready-made heuristics."""
        return self.folder / "task"

    @cached_property
    def task(self) -> Task:
        """The same, read."""
        return load_task(self.task_folder)

    @property
    def texts(self) -> Path:
        """``item_id``, ``text``; Parquet."""
        return self.folder / "items.parquet"

    @property
    def vectors(self) -> Path:
        """float32 [n, d], unit rows; npy."""
        return self.folder / "vectors.npy"

    @property
    def votes(self) -> Path:
        """int8 [n, 10], of the ready-made heuristics; npy."""
        return self.folder / "votes.npy"

    @property
    def edited_votes(self) -> Path:
        """int8 [n], of `EDITED` after an edit; npy."""
        return self.folder / "edited_votes.npy"

    @property
    def graph(self) -> Path:
        """The neighbour graph that the graph's stage leaves to others."""
        return self.folder / "graph.pickle"

    def about(self) -> dict[str, Any]:
        """What belongs to every figure."""
        return {
            **self.machine,
            "data": self.source.described(self.items),
            "threads": self.threads,
        }


def prepare(run: Run) -> None:
    """Make the files of this size that are not there yet, or were made of other data.

    Raises
    ------
    EpoxyError
        If there are too few windows, or vectors that are not.
    """
    made, wanted = run.folder / "made_of.json", _wanted(run)
    if made.exists() and json.loads(made.read_text(encoding="utf-8")) == wanted:
        return
    shutil.rmtree(run.folder, ignore_errors=True)
    run.task_folder.mkdir(parents=True)
    windows = _windows(run.source).head(run.items)
    if windows.height < run.items:
        raise EpoxyError(
            f"{windows.height:,} windows, not {run.items:,}", remedy="Ask for fewer items."
        )
    windows.write_parquet(run.task_folder / "windows.parquet")
    (run.task_folder / "task.yaml").write_text(TASK, encoding="utf-8")
    shutil.copy(HEURISTICS, run.task_folder / "labeling_functions.py")
    items = windows.select(item_id="id", text="text")
    items.write_parquet(run.texts)
    _write_vectors(run, windows["text"].to_list())
    lfs = load_labeling_functions(run.task)
    votes = apply_labeling_functions(lfs, items, run.task.classes)
    np.save(run.votes, np.column_stack([result.votes for result in votes]))
    changed = apply_labeling_functions([_edited(run.task_folder)], items, run.task.classes)[0]
    np.save(run.edited_votes, changed.votes)
    made.write_text(json.dumps(wanted), encoding="utf-8")


def stored_vectors(run: Run) -> Iterator[tuple[int, Vectors]]:
    """The vectors, float32, in blocks of rows with their first."""
    vectors = np.load(run.vectors, mmap_mode="r")
    for first in range(0, len(vectors), BLOCK):
        yield first, np.asarray(vectors[first : first + BLOCK])


def mapped(file: str) -> Vectors:
    """An array mapped to memory, and in it."""
    vectors: Vectors = np.load(file, mmap_mode="r")
    vectors[:, 0].sum()
    return vectors


def _wanted(run: Run) -> dict[str, Any]:
    source = run.source
    given = [file for file in (source.windows, source.vectors) if file]
    return {
        "items": run.items,
        "embed": None if source.embed is None else min(source.embed, run.items),
        "given": [[str(file.resolve()), file.stat().st_size] for file in given],
        "heuristics": content_hash(HEURISTICS.read_text(encoding="utf-8") + REPLACEMENT + TASK),
    }


def _windows(source: Source) -> pl.DataFrame:
    if source.windows:
        return pl.read_parquet(source.windows)
    file = source.cache / "windows.parquet"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        overlapping_windows(reviews(), WORDS, STRIDE).head(MOST).write_parquet(file)
    return pl.read_parquet(file)


def _write_vectors(run: Run, texts: list[str]) -> None:
    real = run.items if run.source.embed is None else min(run.source.embed, run.items)
    if run.source.vectors:
        given = np.load(run.source.vectors, mmap_mode="r")
        real = run.items
    else:
        given = _embedded(run.source.cache, texts[:real])
    if len(given) < real:
        raise EpoxyError(f"{len(given):,} vectors", where=str(run.source.vectors))
    shape = run.items, given.shape[1]
    written = np.lib.format.open_memmap(run.vectors, "w+", np.float32, shape)
    generator = np.random.default_rng(0)
    for first in range(0, run.items, BLOCK):
        rows = np.arange(first, min(first + BLOCK, run.items))
        block = np.asarray(given[rows % real], dtype=np.float32)
        copies = rows >= real
        if copies.any():
            noise = generator.standard_normal((int(copies.sum()), shape[1]), dtype=np.float32)
            block[copies] += NOISE * noise
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        if not (lengths > 0).all():
            row = first + int(np.flatnonzero(lengths[:, 0] == 0)[0])
            raise EpoxyError("a vector of zeros", where=f"{run.source.vectors}, row {row}")
        written[rows] = block / lengths
    written.flush()


def _embedded(cache: Path, texts: list[str]) -> Vectors:
    """From the cache, by content; what is not in it is embedded."""
    encoder = TextEncoder()
    store = EmbeddingStore(cache / "embeddings", encoder.fingerprint)
    hashes = [content_hash(text) for text in texts]

    def announce(done: int, total: int) -> None:
        if total:
            print(f"\r  embedded {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    if embed_missing(encoder, store, hashes, texts, announce):
        print(file=sys.stderr)
        store.compact()
    return store.load(hashes)


def _edited(task_folder: Path) -> LabelingFunction:
    """The heuristic after its edit."""
    file = task_folder / "labeling_functions.py"
    original = file.read_text(encoding="utf-8")
    assert REPLACED in original
    try:
        file.write_text(original.replace(REPLACED, REPLACEMENT), encoding="utf-8")
        lfs = load_labeling_functions(load_task(task_folder))
    finally:
        file.write_text(original, encoding="utf-8")
    return next(lf for lf in lfs if lf.name == EDITED)
