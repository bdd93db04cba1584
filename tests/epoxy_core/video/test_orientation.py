import io

import numpy as np
import pytest
from PIL import Image

from epoxy_core.video import probe, read_frames, scan_video

ONE = 1 << 16
MATRICES = {
    "upright": ((ONE, 0, 0, ONE), None, 0),
    "quarter": ((0, ONE, -ONE, 0), Image.Transpose.ROTATE_270, 90),
    "half": ((-ONE, 0, 0, -ONE), Image.Transpose.ROTATE_180, 180),
    "three quarters": ((0, -ONE, ONE, 0), Image.Transpose.ROTATE_90, 270),
    "mirrored": ((-ONE, 0, 0, ONE), Image.Transpose.FLIP_LEFT_RIGHT, 0),
    "upside down mirrored": ((ONE, 0, 0, -ONE), Image.Transpose.FLIP_TOP_BOTTOM, 180),
    "transposed": ((0, ONE, ONE, 0), Image.Transpose.TRANSPOSE, 270),
    "transversed": ((0, -ONE, -ONE, 0), Image.Transpose.TRANSVERSE, 90),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_pictures_are_shown_upright(kind, make, source):
    (a, b, c, d), operation, rotation = MATRICES[kind]
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:16, :16] = 255, 0, 0
    stored[-16:, :16] = 0, 255, 0
    stored[:16, -16:] = 0, 0, 255
    image = Image.fromarray(stored)
    upright = np.asarray(image.transpose(operation) if operation is not None else image)
    path = make(
        "turned.mov",
        [stored] * 3,
        codec="qtrle",
        pixels="rgb24",
        matrix=[a, b, 0, c, d, 0, 0, 0, 1 << 30],
    )
    frames = dict(read_frames(path, [0, 2]))
    assert np.array_equal(frames[0], upright)
    assert np.array_equal(frames[2], upright)
    info = probe(path, source())
    assert (info.height, info.width) == upright.shape[:2]
    assert info.rotation == rotation
    thumbnail = scan_video(path, source(thumbnail=64)).items["thumbnail"][0]
    seen = np.asarray(Image.open(io.BytesIO(thumbnail))).astype(int)
    assert seen.shape == upright.shape
    assert np.abs(seen - upright).mean() < 12
