"""Small real videos, made by FFmpeg through PyAV, and a tiny image encoder."""

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def moving_pictures(count: int = 25, height: int = 48, width: int = 64) -> list[Picture]:
    """A random texture that slides to the left, two pixels a frame."""
    texture = np.random.default_rng(7).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    texture = np.kron(texture.astype(np.uint8), np.ones((4, 4, 1), np.uint8))[:height, :width]
    return [np.roll(texture, -2 * i, axis=1) for i in range(count)]


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 25,
    times: Sequence[int] | None = None,
    matrix: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    sound: float = 0.0,
    muxer: str | None = None,
) -> Path:
    """Encode pictures; ``times`` are presentation times in milliseconds."""
    import av

    pictures = list(pictures)
    if codec == "libx264":
        options = {"preset": "veryfast", **(options or {})}
    with av.open(str(path), "w", format=muxer, options=muxing or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if times is not None:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        tone = container.add_stream("pcm_s16le", rate=8000, layout="mono") if sound else None
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[i], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            noise = np.random.default_rng(0).integers(-999, 999, (1, int(8000 * sound)))
            samples = av.AudioFrame.from_ndarray(noise.astype(np.int16), "s16", "mono")
            samples.sample_rate = 8000
            container.mux(tone.encode(samples))
            container.mux(tone.encode(None))
    return path


RATE = 8
"""Frames per second of `film`."""


def film(path: Path, *lights: str, seconds: int = 3, seed: int = 0, **settings) -> Path:
    """Scenes of some seconds each, "dark" or "bright", none like another."""
    pictures = []
    for number, light in enumerate(lights):
        random = np.random.default_rng([seed, number])
        texture = np.kron(random.integers(0, 60, (6, 8, 3)), np.ones((8, 8, 1), int))
        texture += {"dark": 10, "bright": 180}[light] + random.integers(0, 15, 3)
        pictures += [np.roll(texture, i, axis=1) for i in range(RATE * seconds)]
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(
        path, [picture.astype(np.uint8) for picture in pictures], rate=RATE, **settings
    )


def tiny_clip(folder: Path) -> Path:
    """A CLIP of one layer with random weights, as open_clip keeps models: fast, and not clever."""
    import torch
    from safetensors.torch import save_file

    from epoxy_core.embed import prepare_torch

    prepare_torch()
    import open_clip

    model = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 32,
            "layers": 1,
            "width": 32,
            "head_width": 16,
            "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    }
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model, "preprocess_cfg": preprocess})
    )
    torch.manual_seed(0)
    made = open_clip.CLIP(**model)
    save_file(
        {name: weights.contiguous() for name, weights in made.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    return folder
