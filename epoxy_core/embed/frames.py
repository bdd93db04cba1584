"""What a video item's vector is made of."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FrameContent:
    """Frames of one video, by their number in the order they are shown, from 0."""

    path: Path
    frames: tuple[int, ...]
