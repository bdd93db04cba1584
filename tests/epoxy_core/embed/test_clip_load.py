"""Checkpoints of open_clip with both towers, from local files; hubs out of reach."""

import time

import numpy as np
import pytest

from epoxy_core.embed import ClipEncoder
from epoxy_core.errors import EpoxyError


def plain(name, images, texts, checkpoint=None):
    """Vectors straight from open_clip, in float32."""
    import open_clip
    import torch
    from PIL import Image

    model, _, preprocess = open_clip.create_model_and_transforms(name, pretrained=checkpoint)
    model.eval()
    with torch.inference_mode():
        pictures = torch.stack([preprocess(Image.fromarray(image)) for image in images])
        return (
            model.encode_image(pictures, normalize=True).numpy(),
            model.encode_text(open_clip.get_tokenizer(name)(texts), normalize=True).numpy(),
        )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "preprocess",
    [
        {},
        {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.4, 0.3], "resize_mode": "squash"},
        {"resize_mode": "longest", "interpolation": "bilinear", "fill_color": 100},
    ],
)
def test_both_towers_of_a_folder(tiny_clip, photos, precision, preprocess):
    folder = tiny_clip(**preprocess)
    texts = ["a temple", "a photo of a flower", ""]
    encoder = ClipEncoder(str(folder), precision=precision, batch_size=2)
    assert encoder.dimension == 16
    images, prompts = plain(f"local-dir:{folder}", photos, texts)
    assert (encoder.encode_images(photos) * images).sum(axis=1).min() >= 0.999
    found = encoder.encode_texts(texts)
    assert found.dtype == np.float32
    assert (found * prompts).sum(axis=1).min() >= 0.999


@pytest.mark.parametrize(
    "vision",
    [
        {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8},
        {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8, "attentional_pool": True},
        {"image_size": 32, "layers": 1, "width": 64, "patch_size": 8, "qk_norm": True},
        {"image_size": 64, "timm_model_name": "resnet10t", "timm_proj": "linear"},
    ],
)
def test_other_image_towers_in_bfloat16(tiny_clip, photos, vision):
    folder = str(tiny_clip(vision=vision))
    exact = ClipEncoder(folder, precision="float32").encode_images(photos)
    reduced = ClipEncoder(folder, precision="bfloat16").encode_images(photos)
    assert (exact * reduced).sum(axis=1).min() >= 0.999


@pytest.fixture(scope="module")
def small(prepared):
    """A whole model of the smallest architecture, in half precision."""
    import open_clip

    return open_clip.create_model("ViT-S-32-alt").half()


def save_state(model, file):
    import torch

    torch.save({"state_dict": model.state_dict()}, file)


def save_as_openai(model, file):
    """A TorchScript archive whose state has three numbers besides the weights."""
    import torch

    class Node(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    root = Node()
    for name in ("input_resolution", "context_length", "vocab_size"):
        root.register_buffer(name, torch.tensor(1))
    for name, value in model.state_dict().items():
        place, *inside = root, *name.split(".")[:-1]
        for part in inside:
            if part not in dict(place.named_children()):
                place.add_module(part, Node())
            place = getattr(place, part)
        place.register_buffer(name.rpartition(".")[2], value)
    torch.jit.script(root).save(str(file))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("save", [save_state, save_as_openai])
def test_an_architecture_with_a_file_of_weights(small, tmp_path, photos, save):
    save(small, tmp_path / "small.pt")
    encoder = ClipEncoder("ViT-S-32-alt", "small.pt", "float32", base=tmp_path)
    save_state(small, tmp_path / "plain.pt")
    images, prompts = plain("ViT-S-32-alt", photos, ["a"], str(tmp_path / "plain.pt"))
    np.testing.assert_allclose(encoder.encode_images(photos), images, atol=1e-3)
    np.testing.assert_allclose(encoder.encode_texts(["a"]), prompts, atol=1e-5)


def test_weights_that_are_missing_are_named(tiny_clip, photos):
    folder = tiny_clip(leave_out=("visual.proj", "visual.ln_post.bias"))
    with pytest.raises(EpoxyError, match=r"Missing key.*visual\.(proj|ln_post)"):
        ClipEncoder(str(folder)).encode_images(photos)


def test_weights_of_another_architecture(tiny_clip, photos):
    file = tiny_clip() / "open_clip_model.safetensors"
    with pytest.raises(EpoxyError, match=r"open_clip_model\.safetensors: ViT-S-32-alt .* cannot"):
        ClipEncoder("ViT-S-32-alt", str(file)).encode_images(photos)


def test_a_damaged_file(tmp_path, photos):
    (tmp_path / "clip.pt").write_bytes(b"not weights")
    with pytest.raises(EpoxyError, match=r"clip\.pt: ViT-S-32-alt .clip\.pt. cannot be loaded"):
        ClipEncoder("ViT-S-32-alt", "clip.pt", base=tmp_path).encode_images(photos)


def test_an_unknown_tag_lists_those_there_are(photos):
    with pytest.raises(EpoxyError, match="no published checkpoint 'opena'") as caught:
        ClipEncoder("ViT-B-16", "opena").encode_images(photos)
    caught.match("openai")


@pytest.mark.parametrize(
    ("model", "checkpoint"), [("ViT-B-32", "laion2b_s34b_b79k"), ("hf-hub:nobody/nothing", None)]
)
def test_the_hub_out_of_reach(model, checkpoint, photos):
    started = time.monotonic()
    with pytest.raises(EpoxyError, match="cannot be loaded") as caught:
        ClipEncoder(model, checkpoint).encode_images(photos)
    caught.match("packaged image tower")
    assert time.monotonic() - started < 20


def test_frames_without_a_finite_vector(tiny_clip, photos):
    folder = tiny_clip()
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "open_clip_model.safetensors")
    weights["visual.proj"][:] = float("nan")
    save_file(weights, folder / "open_clip_model.safetensors")
    with pytest.raises(EpoxyError, match=r"image 0: .* no finite vector"):
        ClipEncoder(str(folder)).encode_images(photos)
