"""What a scan of a video depends on besides the video."""

from assets.versions import code_version
from epoxy_core.source_settings import VideoSource


def sampling(source: VideoSource) -> str:
    """Fingerprint of how videos are decoded, cut into items and measured.

    A setting that does not matter to this kind of item is not in it.
    """
    settings = {
        "items": source.items,
        "sample": source.sample,
        "clip_seconds": source.clip_seconds if source.items == "clip" else None,
        "frames_per_item": source.frames_per_item if source.items != "frame" else None,
        "shot_threshold": source.shot_threshold,
        "thumbnail": source.thumbnail,
        "max_pixels": source.max_pixels,
        "max_seconds": source.max_seconds,
    }
    return code_version(__file__, "video", settings=settings)
