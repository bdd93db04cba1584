"""From decoded frames to upright pictures: full size, small copies, thumbnails."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from epoxy_core.video.orientation import Orientation, orientation

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

SIDE = 128
_QUALITY = 82


class Scaler:
    """Scales frames of one video; keeps FFmpeg's scaling tables between frames.

    Parameters
    ----------
    aspect
        Width of a stored pixel by its height; thumbnails are stretched by it.
    """

    def __init__(self, aspect: float = 1.0) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        self.aspect = aspect
        self._area = Interpolation.AREA
        self._exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
        self._orientations: dict[int, Orientation] = {}
        self._small, self._full, self._thumbnail = (VideoReformatter() for _ in range(3))

    def full(self, frame: "VideoFrame") -> npt.NDArray[np.uint8]:
        """RGB uint8 [h, w, 3], upright, in the stored resolution."""
        picture = self._full.reformat(frame, format="rgb24")
        return self._orientation(frame).apply(np.asarray(picture.to_ndarray(), np.uint8))

    def small(self, frame: "VideoFrame") -> npt.NDArray[np.uint8]:
        """RGB uint8 [128, 128, 3], upright, squeezed to a square: what is measured."""
        picture = self._small.reformat(
            frame, SIDE, SIDE, "rgb24", interpolation=self._area, threads=1
        )
        return self._orientation(frame).apply(np.asarray(picture.to_ndarray(), np.uint8))

    def thumbnail(self, frame: "VideoFrame", longest: int) -> bytes:
        """JPEG, upright, with square pixels, its longer side ``longest`` pixels."""
        import cv2

        shape = (frame.width * self.aspect, float(frame.height))
        scale = longest / max(shape)
        width, height = (max(1, round(side * scale)) for side in shape)
        picture = self._thumbnail.reformat(
            frame, width, height, "bgr24", interpolation=self._area, threads=1
        )
        upright = self._orientation(frame).apply(np.asarray(picture.to_ndarray(), np.uint8))
        _, jpeg = cv2.imencode(".jpg", upright, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return bytes(jpeg)

    def _orientation(self, frame: "VideoFrame") -> Orientation:
        """Orientation of a frame, asked for once per angle.

        Looking at the side data of a PyAV frame ties it into a cycle of references, which keeps
        its pixels until the garbage collector happens to run.
        """
        angle = frame.rotation
        if angle not in self._orientations:
            self._orientations[angle] = orientation(frame)
        return self._orientations[angle]
