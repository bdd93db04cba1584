"""Cuts between shots, found while the frames pass by (PySceneDetect)."""

import numpy as np
import numpy.typing as npt

# A shot is at least this long, in seconds: flashes and flicker are no cuts.
MIN_SHOT = 0.5


class ShotDetector:
    """Finds the frames that start a new shot.

    PySceneDetect's adaptive detector: the change of hue, saturation and value from a frame to
    the next, by the average change of the two frames before and after it.

    Parameters
    ----------
    threshold
        How many times the change of its neighbours a cut changes; lower, more cuts.

    Attributes
    ----------
    delay
        Frames that a decision needs to have seen beyond the frame it is on.
    """

    delay = 2

    def __init__(self, threshold: float) -> None:
        from scenedetect.detectors import AdaptiveDetector

        self._detector = AdaptiveDetector(
            adaptive_threshold=threshold, min_scene_len=0, window_width=self.delay
        )
        self._seen = 0

    def see(self, picture: npt.NDArray[np.uint8]) -> bool:
        """Look at the next small copy, RGB uint8 [h, w, 3].

        Returns
        -------
        bool
            Whether the frame seen ``delay`` calls ago starts a new shot.
        """
        import cv2
        from scenedetect import FrameTimecode

        time = FrameTimecode(self._seen, 25.0)
        self._seen += 1
        return bool(self._detector.process_frame(time, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)))
