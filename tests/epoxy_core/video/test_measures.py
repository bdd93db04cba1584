"""Measures against pictures whose figures are known."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from epoxy_core.video import COLORS, MEASURES
from epoxy_core.video.measures import measure

SHAPE = (128, 128, 3)


def _one(picture):
    return {
        name: values[0] for name, values in measure(np.asarray(picture, np.uint8)[None]).items()
    }


def _filled(*colour):
    return np.full(SHAPE, colour, np.uint8)


def test_all_measures_are_described():
    assert set(_one(_filled(0, 0, 0))) | {"motion"} == set(MEASURES)


def test_black():
    seen = _one(_filled(0, 0, 0))
    zero = {"brightness", "contrast", "saturation", "colorfulness", "warmth", "sharpness"}
    for name in zero | {"edges", "noise", "entropy"}:
        assert seen[name] == 0, name
    assert seen["smooth"] == seen["dominance"] == seen["dark"] == 1
    assert seen["palette"] == pytest.approx(1 / 512)
    assert seen["black"]
    assert seen["flat"]
    assert seen["colors"][12] == 1


def test_white_and_pure_colours():
    white = _one(_filled(255, 255, 255))
    assert white["brightness"] == pytest.approx(1)
    assert white["saturation"] == 0
    assert white["colors"][15] == 1
    assert white["flat"]
    assert not white["black"]
    red = _one(_filled(255, 0, 0))
    assert red["brightness"] == pytest.approx(0.299)
    assert red["saturation"] == red["warmth"] == red["colors"][0] == 1
    assert red["colorfulness"] == pytest.approx(0.3 * np.hypot(1, 0.5))
    blue = _one(_filled(0, 0, 255))
    assert blue["warmth"] == -1
    assert blue["colors"][8] == 1


@pytest.mark.parametrize("hue", range(12))
def test_hues(hue):
    colour = [round(255 * part) for part in colorsys.hsv_to_rgb(hue / 12, 0.8, 0.7)]
    assert _one(_filled(*colour))["colors"][hue] == 1


def test_checkerboard_of_pixels():
    board = np.indices((128, 128)).sum(axis=0) % 2 * 255
    seen = _one(np.repeat(board[..., None], 3, axis=2))
    assert seen["brightness"] == seen["contrast"] == pytest.approx(0.5)
    assert seen["sharpness"] == pytest.approx(1)
    assert seen["dominance"] == pytest.approx(0.5)
    assert seen["entropy"] == pytest.approx(1 / 6)
    assert seen["saturation"] == 0
    assert not seen["flat"]


def test_half_black_half_white():
    picture = _filled(0, 0, 0)
    picture[:, 64:] = 255
    seen = _one(picture)
    assert seen["contrast"] == pytest.approx(0.5)
    assert seen["edges"] == pytest.approx(2 / 126)
    assert seen["smooth"] == pytest.approx(124 / 126)
    assert seen["noise"] == 0
    assert seen["dark"] == 0.5


@pytest.mark.parametrize("deviation", [2.0, 5.0, 10.0])
def test_known_noise(deviation):
    rng = np.random.default_rng(3)
    across = np.linspace(60, 190, 128)[None, :, None]
    noise = rng.normal(0, deviation, (128, 128, 1))
    picture = np.clip(across + noise, 0, 255).repeat(3, axis=2).round()
    assert _one(picture)["noise"] == pytest.approx(deviation / 255, rel=0.1)
    assert _one(across.repeat(128, axis=0).repeat(3, axis=2))["noise"] < 0.002


def test_colorfulness_as_published():
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, SHAPE)
    red, green, blue = (picture[..., i].astype(float) for i in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.sqrt(rg.std() ** 2 + yb.std() ** 2)
    expected += 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert _one(picture)["colorfulness"] == pytest.approx(expected / 255, rel=1e-4)


def test_blur_lowers_sharpness_edges_and_noise():
    import cv2

    rng = np.random.default_rng(1)
    sharp = rng.integers(0, 256, SHAPE).astype(np.uint8)
    before, after = _one(sharp), _one(cv2.GaussianBlur(sharp, (9, 9), 2))
    for name in ("sharpness", "edges", "noise", "contrast", "palette"):
        assert after[name] < before[name]


@given(arrays(np.uint8, (3, 5, 7, 3)))
def test_ranges_and_rows(pictures):
    together = measure(pictures)
    for name, values in together.items():
        assert len(values) == 3
        low = -1 if name == "warmth" else 0
        assert np.all(values >= low), name
        assert np.all(values <= 1.5), name
    assert together["colors"].shape == (3, COLORS)
    assert together["colors"].sum(axis=1) == pytest.approx(np.ones(3))
    for i, picture in enumerate(pictures):
        for name, value in _one(picture).items():
            assert np.allclose(value, together[name][i], atol=1e-6), name
