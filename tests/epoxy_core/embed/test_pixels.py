import numpy as np
import pytest

from epoxy_core.embed.pixels import Pixels

SIZES = [(427, 640), (224, 224), (225, 224), (90, 160), (400, 30), (30, 400), (7, 5), (426, 639)]


@pytest.fixture(scope="module")
def beside(prepared):
    """Our resizing and batch, and open_clip's transform, for the same settings."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    def build(**settings):
        config = PreprocessCfg(**settings)
        return Pixels(vars(config)), image_transform_v2(config, is_train=False)

    return build


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 224},
        {"size": (224, 224), "interpolation": "bilinear"},
        {"size": (96, 96), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.4, 0.3)},
        {"size": (64, 48), "resize_mode": "squash"},
        {"size": (64, 64), "resize_mode": "longest", "fill_color": 9},
        {"size": (64, 48)},
    ],
)
def test_same_pictures_as_open_clip(beside, photos, settings):
    import torch
    from PIL import Image

    pixels, transform = beside(**settings)
    images = [np.ascontiguousarray(photos[0][:high, :wide]) for high, wide in SIZES]
    resized = [pixels.resized(image) for image in images]
    ours = pixels.batch(resized, "cpu")
    theirs = torch.stack([transform(Image.fromarray(image)) for image in images])
    assert ours.shape == theirs.shape
    step = 1 / 255 / min(settings.get("std", (0.26,)))
    apart = (ours - theirs).abs()
    assert apart.mean() < 0.1 * step
    assert (apart > 1.01 * step).float().mean() < 0.001


def test_large_pictures_keep_their_look(beside, photos):
    """Pillow's shortcut for pictures many times the target's size stays within rounding."""
    from PIL import Image

    pixels, transform = beside(size=224)
    large = np.asarray(Image.fromarray(photos[1]).resize((3840, 2160), Image.Resampling.LANCZOS))
    ours = pixels.batch([pixels.resized(large)], "cpu")[0]
    apart = (ours - transform(Image.fromarray(large))).abs() * 255 * 0.26
    assert apart.mean() < 0.5
    assert apart.max() < 12
