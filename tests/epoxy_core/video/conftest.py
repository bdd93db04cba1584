"""Small real videos, made by FFmpeg through PyAV."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from videos import Picture, moving_pictures, write_video

from epoxy_core.source_settings import VideoSource


@pytest.fixture
def moving() -> Callable[..., list[Picture]]:
    return moving_pictures


@pytest.fixture
def source() -> Callable[..., VideoSource]:
    """Settings of a video source: ``source(items="clip")``."""
    return lambda **settings: VideoSource(kind="video", paths=["videos"], **settings)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write a video into a temporary folder: ``make("name.mp4", pictures, **settings)``."""

    def make_video(name: str, pictures: Iterable[Picture] | None = None, **settings) -> Path:
        shown = moving_pictures() if pictures is None else pictures
        return write_video(tmp_path / name, shown, **settings)

    return make_video
