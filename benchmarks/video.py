"""Frames per second from video files to vectors, against a plain loop with the same weights.

The plain loop decodes with PyAV, makes a PIL picture of every sampled frame, preprocesses it with
open_clip's own transform and calls `encode_image`. Contenders alternate in rounds, so that a busy
machine disturbs them alike; ratios are of medians.

    python benchmarks/video.py [--every N] [--frames N] [--rounds N] [--output FILE] VIDEO ...
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epoxy_core.embed import (
    ClipEncoder,
    FrameContent,
    default_device,
    prepare_torch,
    resolve_precision,
)
from epoxy_core.embed.clip_tower import ARCHITECTURE, packaged_tower
from epoxy_core.source_settings import VideoSource
from epoxy_core.video import probe

Vectors = npt.NDArray[np.float32]
Contender = Callable[[Path, list[int]], Vectors]

PLAIN = "plain loop, a frame at a time"
COLUMNS = "| video | contender | frames/s | × plain | CPU s/frame | cosine mean | cosine min |"


def plain_loops() -> dict[str, Contender]:
    """open_clip alone, float32, one frame or 32 frames at a time."""
    import av
    import open_clip
    import torch
    from safetensors.torch import load_file

    model, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, load_weights=False)
    model.visual.load_state_dict(load_file(packaged_tower()), strict=True)
    model.eval().to(default_device())

    def loop(path: Path, numbers: list[int], batch: int) -> Vectors:
        wanted, waiting, found = set(numbers), [], []
        with av.open(str(path)) as container, torch.inference_mode():
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for number, frame in enumerate(islice(container.decode(stream), max(numbers) + 1)):
                if number in wanted:
                    waiting.append(preprocess(frame.to_image()))
                if waiting and (len(waiting) == batch or number == max(numbers)):
                    pictures = torch.stack(waiting).to(default_device())
                    found.append(model.encode_image(pictures, normalize=True).cpu().numpy())
                    waiting = []
        return np.concatenate(found)

    return {
        PLAIN: lambda path, numbers: loop(path, numbers, 1),
        "plain loop, 32 frames at a time": lambda path, numbers: loop(path, numbers, 32),
    }


def product(encoder: ClipEncoder) -> Contender:
    """The encoder on one item per frame."""

    def encode(path: Path, numbers: list[int]) -> Vectors:
        vectors = np.empty((len(numbers), encoder.dimension), dtype=np.float32)
        for rows, block in encoder.encode_batches([FrameContent(path, (n,)) for n in numbers]):
            vectors[rows] = block
        return vectors

    return encode


def measure(
    contenders: dict[str, Contender], path: Path, numbers: list[int], rounds: int
) -> list[tuple[str, float, float, float, float, float]]:
    """(contender, frames/s, times plain, CPU seconds per frame, mean cosine, least cosine)."""
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    work: dict[str, list[float]] = {name: [] for name in contenders}
    vectors = {}
    for encode in contenders.values():
        encode(path, numbers[:2])
    for _ in range(rounds):
        for name, encode in contenders.items():
            started, worked = time.perf_counter(), time.process_time()
            vectors[name] = encode(path, numbers)
            wall[name].append(time.perf_counter() - started)
            work[name].append(time.process_time() - worked)
    median = {name: statistics.median(times) for name, times in wall.items()}
    found = []
    for name in contenders:
        cosine = (vectors[name] * vectors[PLAIN]).sum(axis=1)
        found.append(
            (
                name,
                len(numbers) / median[name],
                median[PLAIN] / median[name],
                statistics.median(work[name]) / len(numbers),
                cosine.mean(),
                cosine.min(),
            )
        )
    return found


def machine() -> str:
    """Processor, threads and versions."""
    import av
    import open_clip
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    about = torch.cpu.get_capabilities()
    return (
        f"{about.get('cpu_name', 'unknown CPU')}, {torch.get_num_threads()} threads, {device}; "
        f"torch {torch.__version__}, open_clip {open_clip.__version__}, PyAV {av.__version__}; "
        f"`precision: auto` is {resolve_precision('auto', default_device())} here"
    )


def main() -> None:
    """Print the table, and write it to a file if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=25, help="sample every n-th frame")
    parser.add_argument("--frames", type=int, default=32, help="at most so many per video")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    prepare_torch()
    auto = ClipEncoder()
    exact = ClipEncoder(precision="float32")
    contenders = plain_loops()
    contenders |= {"`ClipEncoder`, float32": product(exact), "`ClipEncoder`, auto": product(auto)}
    lines = [
        f"    python {' '.join([Path(sys.argv[0]).as_posix(), *sys.argv[1:]])}",
        "",
        COLUMNS,
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for path in options.videos:
        about = probe(path, VideoSource(kind="video", paths="*"))
        last = int(about.duration * about.fps) - 2
        numbers = list(range(0, last, options.every))[: options.frames]
        title = f"{path.stem}, {about.width} × {about.height}, {len(numbers)} frames"
        for name, speed, ratio, work, mean, least in measure(
            contenders, path, numbers, options.rounds
        ):
            lines.append(
                f"| {title} | {name} | {speed:.2f} | {ratio:.2f} | {work:.3f} | {mean:.6f} "
                f"| {least:.6f} |"
            )
    lines += ["", machine(), ""]
    print("\n".join(lines))
    if options.output:
        options.output.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
