"""Example images, read from files."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from epoxy_core.errors import EpoxyError


def read_image(file: Path) -> npt.NDArray[np.uint8]:
    """Read an image as RGB, uint8 [height, width, 3], upright as its EXIF data say.

    Raises
    ------
    EpoxyError
        If the file is none that Pillow reads, or ends early.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file) as image:
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise EpoxyError(
            f"not an image that can be read: {error}",
            where=str(file),
            remedy="Name a sound image file (JPEG, PNG, WebP, …), relative to the task folder.",
        ) from error
