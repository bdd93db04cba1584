"""Pictures as CLIP wants them: resized, cropped to the middle, normalised."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

# Pillow first averages whole blocks of pixels of a picture that is far larger than its target;
# from three times the target's size on, nothing of it is left to see (Pillow, Image.resize).
_REDUCING_GAP = 3.0


class Pixels:
    """The preprocessing of a model, split where decoding and encoding meet.

    Resizing one picture is work for the thread that decodes; normalising is one operation on a
    batch, on the model's device. Together they give what open_clip's own transform gives.

    Parameters
    ----------
    settings
        open_clip's `PreprocessCfg` as a mapping: size, mean, std, interpolation, resize_mode,
        fill_color.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        size = settings["size"]
        sides: tuple[int, int] = (size, size) if isinstance(size, int) else tuple(size)
        self.height, self.width = sides
        self._settings = dict(settings)
        self._simple = settings["resize_mode"] == "shortest" and self.height == self.width
        self._transform: Any = None

    def resized(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Bring a picture to the model's size.

        Parameters
        ----------
        image
            uint8 [h, w, 3], red first.

        Returns
        -------
        ndarray
            uint8 [height, width, 3].
        """
        from PIL import Image

        picture = Image.fromarray(image)
        if not self._simple:
            return np.asarray(self._by_open_clip()(picture))
        # The part of the picture that the middle crop keeps is all that is computed.
        width, height, side = picture.width, picture.height, self.height
        if width <= height:
            wide, high = side, int(side * height / width)
        else:
            wide, high = int(side * width / height), side
        left, top = round((wide - side) / 2), round((high - side) / 2)
        across, down = width / wide, height / high
        return np.asarray(
            picture.resize(
                (side, side),
                Image.Resampling.BILINEAR
                if self._settings["interpolation"] == "bilinear"
                else Image.Resampling.BICUBIC,
                (left * across, top * down, (left + side) * across, (top + side) * down),
                _REDUCING_GAP,
            )
        )

    def batch(self, pictures: Sequence[npt.NDArray[np.uint8]], device: str) -> "torch.Tensor":
        """Normalise pictures of the model's size, as a float32 tensor [n, 3, height, width]."""
        import torch

        stacked = torch.from_numpy(np.stack(pictures)).to(device)
        mean = torch.tensor(self._settings["mean"], device=device)
        std = torch.tensor(self._settings["std"], device=device)
        return ((stacked.to(torch.float32) - mean * 255) / (std * 255)).permute(0, 3, 1, 2)

    def _by_open_clip(self) -> Any:
        """open_clip's own steps up to the normalising, for what few models ask for."""
        if self._transform is None:
            from open_clip.transform import PreprocessCfg, image_transform_v2
            from torchvision.transforms import Compose, Normalize, ToTensor

            steps = image_transform_v2(PreprocessCfg(**self._settings), is_train=False).transforms
            kept = [step for step in steps if not isinstance(step, (Normalize, ToTensor))]
            self._transform = Compose(kept)
        return self._transform
