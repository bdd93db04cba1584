"""What can be measured in a picture, without any model.

Everything is defined on the small copy of a frame (128 x 128), so that figures of videos of
different resolutions can be compared.
"""

import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Measured = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.bool_]]

MEASURES: dict[str, str] = {
    "brightness": "mean luma; 0 black … 1 white",
    "contrast": "standard deviation of luma; 0 one tone … 0.5 half black, half white",
    "saturation": "mean saturation (HSV); 0 grey … 1 pure colours",
    "colorfulness": "Hasler and Süsstrunk's measure; 0 grey, 0.06 slight, 0.18 average, 0.32 high "
    "… about 1",
    "warmth": "mean of red minus blue; −1 blue … 1 red",
    "sharpness": "mean absolute Laplacian of luma; 0 blurred … 1 a checkerboard of pixels",
    "edges": "share of pixels on an edge (luma gradient above 0.25); 0 … 1",
    "smooth": "share of pixels without any gradient (below 0.01): painted areas; 0 … 1",
    "noise": "standard deviation of the noise in the flatter half of the picture; 0 … about 0.3",
    "entropy": "entropy of luma in 64 steps, by its maximum; 0 one tone … 1 all alike",
    "palette": "share of 512 colours that cover at least a thousandth of the picture; 0 … 1",
    "dominance": "share of the picture in the commonest of 512 colours; 0 … 1",
    "dark": "share of pixels with luma below 0.1; 0 … 1",
    "motion": "mean absolute change of luma from frame to frame within the item, cuts not "
    "counted; 0 still … 1",
    "black": "whether every frame measured is black: `dark` at least 0.98",
    "flat": "whether every frame measured is of one colour, each channel within a deviation "
    "of 0.02",
    "colors": "histogram of 12 hues from red, then black, dark grey, light grey, white; sums to 1",
}

COLORS = 16
_HUES = 12
# Below these, a pixel has no hue that the eye would name.
_GREY_SATURATION, _BLACK_VALUE = 0.15, 0.1
_EDGE, _SMOOTH = 0.25, 0.01
_DARK, _BLACK_SHARE, _FLAT_DEVIATION = 0.1, 0.98, 0.02
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def luma(pictures: Pictures) -> Values:
    """Luma (Rec. 601) of RGB uint8 [..., 3]: float32 [...], 0 … 1."""
    return (pictures.astype(np.float32) @ _LUMA) / np.float32(255)


def measure(pictures: Pictures) -> Measured:
    """Measure pictures.

    Parameters
    ----------
    pictures
        RGB uint8 [n, h, w, 3], at least 3 x 3 pixels.

    Returns
    -------
    dict
        The measures of `MEASURES` but motion: float32 [n], ``black`` and ``flat`` bool [n],
        ``colors`` float32 [n, 16].
    """
    n = len(pictures)
    light = luma(pictures)
    unit = pictures.astype(np.float32) / np.float32(255)
    steepness = _gradient(light)
    dark = (light < _DARK).reshape(n, -1).mean(axis=1, dtype=np.float32)
    codes = (pictures.astype(np.uint16) >> 5) @ np.array([64, 8, 1], dtype=np.uint16)
    palette = _histograms(codes.reshape(n, -1), 512)
    tones = _histograms((light * np.float32(63.999)).astype(np.uint16).reshape(n, -1), 64)
    value = unit.max(axis=3)
    chroma = value - unit.min(axis=3)
    saturation = chroma / np.maximum(value, np.float32(1 / 255))
    return {
        "brightness": _mean(light),
        "contrast": light.reshape(n, -1).std(axis=1, dtype=np.float32),
        "saturation": _mean(saturation),
        "colorfulness": _colorfulness(unit),
        "warmth": _mean(unit[..., 0] - unit[..., 2]),
        "sharpness": _mean(np.abs(_laplacian(light))) / np.float32(4),
        "edges": _mean(steepness > _EDGE),
        "smooth": _mean(steepness < _SMOOTH),
        "noise": _noise(light, steepness),
        "entropy": _entropy(tones),
        "palette": (palette >= 0.001).mean(axis=1, dtype=np.float32),
        "dominance": palette.max(axis=1),
        "dark": dark,
        "black": dark >= _BLACK_SHARE,
        "flat": (unit.reshape(n, -1, 3).std(axis=1) <= _FLAT_DEVIATION).all(axis=1),
        "colors": _hues(unit, value, chroma, saturation),
    }


def _mean(values: npt.NDArray[np.float32] | npt.NDArray[np.bool_]) -> Values:
    return np.asarray(values.reshape(len(values), -1).mean(axis=1, dtype=np.float32))


def _gradient(light: Values) -> Values:
    """Magnitude of the Sobel gradient of inner pixels, 1 for a step from black to white."""
    rows = light[:, :-2] + 2 * light[:, 1:-1] + light[:, 2:]
    columns = light[:, :, :-2] + 2 * light[:, :, 1:-1] + light[:, :, 2:]
    across = rows[:, :, 2:] - rows[:, :, :-2]
    down = columns[:, 2:] - columns[:, :-2]
    return np.asarray(np.hypot(across, down) / 4, dtype=np.float32)


def _laplacian(light: Values) -> Values:
    inner = light[:, 1:-1, 1:-1]
    sides = light[:, :-2, 1:-1] + light[:, 2:, 1:-1] + light[:, 1:-1, :-2] + light[:, 1:-1, 2:]
    return np.asarray(sides - 4 * inner, dtype=np.float32)


def _noise(light: Values, steepness: Values) -> Values:
    """Immerkær's estimate (Fast Noise Variance Estimation, 1996), edges left out as in Tai and
    Yang (2008): his mask sees neither planes nor, at right angles, straight edges.
    """  # noqa: D205
    rows = light[:, :-2] - 2 * light[:, 1:-1] + light[:, 2:]
    detail = np.abs(rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:])
    flatter = steepness <= np.median(steepness, axis=(1, 2), keepdims=True)
    mean = (detail * flatter).sum(axis=(1, 2)) / flatter.sum(axis=(1, 2))
    return np.asarray(mean * (np.sqrt(np.pi / 2) / 6), dtype=np.float32)


def _colorfulness(unit: Values) -> Values:
    """Hasler and Süsstrunk, Measuring Colourfulness in Natural Images (2003), §7, by 255."""
    red, green, blue = (unit[..., i].reshape(len(unit), -1) for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    spread = np.hypot(rg.std(axis=1), yb.std(axis=1))
    return np.asarray(spread + 0.3 * np.hypot(rg.mean(axis=1), yb.mean(axis=1)), dtype=np.float32)


def _histograms(codes: npt.NDArray[np.integer], size: int) -> Values:
    """Shares of codes 0 … size − 1 in every row [n, pixels]: float32 [n, size]."""
    n, pixels = codes.shape
    rows = np.arange(n, dtype=np.int64)[:, None] * size
    counts = np.bincount((codes + rows).ravel(), minlength=n * size).reshape(n, size)
    return np.asarray(counts / pixels, dtype=np.float32)


def _entropy(shares: Values) -> Values:
    logs = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    bits = -(shares * logs).sum(axis=1)
    return np.asarray(bits / np.log2(shares.shape[1]), dtype=np.float32)


def _hues(unit: Values, value: Values, chroma: Values, saturation: Values) -> Values:
    red, green, blue = unit[..., 0], unit[..., 1], unit[..., 2]
    safe = np.where(chroma > 0, chroma, np.float32(1))
    sextant = np.where(
        value == red,
        ((green - blue) / safe) % 6,
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = (np.floor(sextant * (_HUES / 6) + 0.5) % _HUES).astype(np.uint16)
    grey = _HUES + np.minimum(value * 4, 3).astype(np.uint16)
    plain = (saturation < _GREY_SATURATION) | (value < _BLACK_VALUE)
    return _histograms(np.where(plain, grey, hue).reshape(len(unit), -1), COLORS)
